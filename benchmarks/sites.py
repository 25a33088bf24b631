"""A running server with a past, and the requests that it is sent; here Microblog's.

`tutorial_site` has the Flask app's, with the same people and posts. `pages` and `logins` use them.
"""

import asyncio
import contextlib
import re
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import asking, filling, stage
from benchmarks.archive import FIRST_WRITER, READER, READER_OF_THE_QUIET, Archive
from benchmarks.asking import NUMBER, Answer
from benchmarks.contestants import product
from benchmarks.stage import Pass
from tests.processes import Server

PRODUCT = "microblog"
JSON, HTML, QUIET = "home as JSON", "home as a page", "home of the quiet, JSON"
FORM, API = "post by the form", "post by the API"
TEXT = f"A clear morning on the ridge: 오늘 아침 산길은 맑고 조용합니다. {NUMBER.decode()}"
FORM_TYPE = "application/x-www-form-urlencoded"
_JSON_TYPE = "application/json"
_FIELD = re.compile(rb'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Sent:
    """The requests of one kind, one for each connection, and what a right answer has."""

    requests: Sequence[bytes]
    status: int
    mark: bytes = b""
    marks: int = 0
    publishes: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A running server with its past."""

    name: str
    server: Server
    database: Path
    sent: dict[str, Sent]

    @property
    def group(self) -> int:
        assert self.server.process is not None
        return self.server.process.pid

    def posts(self) -> int:
        """Count the posts that are stored."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            (count,) = connection.execute("SELECT count(*) FROM post").fetchone()
        return int(count)


@contextlib.contextmanager
def microblog(
    archive: Archive, connections: int, writers: int, password_hash: str = filling.NO_PASSWORD
) -> Iterator[Site]:
    """Fill and serve Microblog, by plain hypercorn."""
    secret = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="microblog-pages-") as name:
        stage.migrate(Path(name))
        filling.fill(Path(name) / "microblog.db", archive, password_hash)
        passes = asyncio.run(stage.admit(Path(name), secret, people(writers)))
        server = product(Path(name) / "microblog.db", secret, take=True)
    with server:
        port, (reader, other, *authors) = server.port, passes
        page = asking.get(port, "/", f"Cookie: {reader.cookie}\r\n")
        mark = b'"visibility"'
        sent = {
            JSON: Sent([_feed(port, reader)] * connections, 200, mark, 25),
            QUIET: Sent([_feed(port, other)] * connections, 200, mark, 1),
            HTML: Sent([page] * connections, 200, b'<article class="post"', 25),
            FORM: Sent([_form(port, author) for author in authors], 303, publishes=True),
            API: Sent([written(port, _bearer(a)) for a in authors], 201, mark, 1, publishes=True),
        }
        yield Site(PRODUCT, server, server.folder / "var" / "microblog.db", sent)


def people(writers: int) -> list[int]:
    """Return who asks: the reader, the reader of the quiet, and so many writers."""
    return [READER, READER_OF_THE_QUIET, *range(FIRST_WRITER, FIRST_WRITER + writers)]


def _feed(port: int, who: Pass) -> bytes:
    return asking.get(port, "/api/timelines/home", _bearer(who))


def _bearer(who: Pass) -> str:
    return bearer(who.token)


def bearer(token: str) -> str:
    """Return the header that a program sends with its access token."""
    return f"Authorization: Bearer {token}\r\n"


def written(port: int, headers: str) -> bytes:
    """Return a post as JSON, which both sites take at the same address."""
    body = f'{{"body": "{TEXT}"}}'.encode()
    return asking.post(port, "/api/posts", body, _JSON_TYPE, headers)


def _form(port: int, who: Pass) -> bytes:
    """Return the form that a browser sends from the home page it has seen."""
    page = asyncio.run(asking.exchange(port, asking.get(port, "/", f"Cookie: {who.cookie}\r\n")))
    found = _FIELD.search(page.body)
    if found is None:
        raise RuntimeError(f"no form on the page, which was answered {page.status}")
    fields = {"post": TEXT, "csrf_token": found[1].decode(), "next": "/"}
    body = urlencode(fields | {"idempotency_key": f"benchmark-{NUMBER.decode()}"}).encode()
    headers = f"Cookie: {'; '.join([who.cookie, *cookies(page)])}\r\n"
    headers += f"Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n"
    return asking.post(port, "/posts", body, FORM_TYPE, headers)


def cookies(answer: Answer) -> list[str]:
    """Return the cookies that an answer sets, as they are sent back."""
    lines = answer.head.decode().split("\r\n")
    set_ = [line.partition(":")[2] for line in lines if line.lower().startswith("set-cookie:")]
    return [each.partition(";")[0].strip() for each in set_]
