"""The Flask app of the tutorial's shape as a site with a past; for `pages` and `api`.

Apart from `sites`, for it needs packages that Microblog does not.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import asking, sites
from benchmarks.archive import Archive, username
from benchmarks.contestants import Peer
from benchmarks.peers import flask_tutorial
from benchmarks.sites import API, FORM, FORM_TYPE, HTML, JSON, QUIET, TEXT, Sent, Site
from tests.processes import Server

PEER = "Flask app"
LEAN = "Flask app, visits unwritten"


@contextlib.contextmanager
def served(archive: Archive, module: str, *words: object) -> Iterator[tuple[Server, Path]]:
    """Fill an app of `benchmarks/peers` and serve it by one sync worker of gunicorn.

    `words` are further arguments of its `create_app`.
    """
    with tempfile.TemporaryDirectory(prefix="microblog-flask-") as name:
        database = Path(name) / "app.db"
        flask_tutorial.fill(database, archive)
        given = ", ".join(repr(word) for word in (str(database), *words))
        how = ("--workers", "1", "--worker-class", "sync", "--timeout", "600")
        app = f"benchmarks.peers.{module}:create_app({given})"
        with Peer("gunicorn", *how, "--bind", "127.0.0.1:{port}", app) as server:
            yield server, database


@contextlib.contextmanager
def flask(
    archive: Archive, connections: int, writers: int, *, lean: bool = False
) -> Iterator[Site]:
    """Fill and serve the app with its pages."""
    with served(archive, "flask_tutorial", not lean) as (server, database):
        port = server.port
        reader, other, *authors = [_log_in(port, person) for person in sites.people(writers)]
        body = urlencode({"post": TEXT}).encode()
        forms = [asking.post(port, "/", body, FORM_TYPE, author) for author in authors]
        mark = b'"timestamp"'
        sent = {
            JSON: Sent([asking.get(port, "/api/feed", reader)] * connections, 200, mark, 25),
            QUIET: Sent([asking.get(port, "/api/feed", other)] * connections, 200, mark, 1),
            HTML: Sent([asking.get(port, "/", reader)] * connections, 200, b"post-body", 25),
            FORM: Sent(forms, 302, publishes=True),
            API: Sent([sites.written(port, a) for a in authors], 201, mark, 1, publishes=True),
        }
        yield Site(LEAN if lean else PEER, server, database, sent)


lean_flask = partial(flask, lean=True)


def _log_in(port: int, person: int) -> str:
    fields = {"username": username(person), "password": flask_tutorial.PASSWORD}
    request = asking.post(port, "/login", urlencode(fields).encode(), FORM_TYPE)
    answer = asyncio.run(asking.exchange(port, request))
    if answer.status != 302:
        raise RuntimeError(f"the log-in was answered {answer.status}: {answer.body!r}")
    return f"Cookie: {'; '.join(sites.cookies(answer))}\r\n"
