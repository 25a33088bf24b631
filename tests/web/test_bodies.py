"""Bodies of requests that are too large, broken, or no form at all: a clear answer to each."""

from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest

from microblog.database import Database
from tests.conftest import both_databases
from tests.people import MakeUser, Visit, session_cookie
from tests.serving import Serving
from tests.web.browsing import bodies, written

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

FLOODS: dict[str, bytes] = {
    "emoji": "👩‍👩‍👧‍👦".encode() * 501,
    "stacked marks": b"a" + "\u0301".encode() * 20_000,
    "joiners": "👩‍".encode() * 10_000,
    "links": b"https://example.org/" * 5_000,
    "mentions": b"@mina " * 10_000,
    "tags": b"#a" * 20_000,
    "brackets": b"[" * 50_000,
    "200 kB": b"x" * 200_000,
}


@both_databases
@pytest.mark.parametrize("text", FLOODS.values(), ids=FLOODS.keys())
async def test_flood_is_refused_and_kept(
    visit: Visit, make_user: MakeUser, database: Database, text: bytes
) -> None:
    answer = await send_bytes(await visit(await make_user()), text)
    assert answer.status_code in {400, 413}
    if answer.status_code == 400:
        assert written(await answer.get_data(as_text=True)) == text.decode()
    assert await bodies(database) == []


ODD: dict[str, tuple[bytes, str]] = {
    "NUL": (b"a\0b", "ab"),
    "lone surrogate": (b"a\xed\xa0\x80b", "a\ufffd\ufffd\ufffdb"),
    "surrogate pair in halves": (b"a\xed\xa0\xbd\xed\xb8\x80", "a" + "\ufffd" * 6),
    "no UTF-8": (b"a\xff\xfeb", "a\ufffd\ufffdb"),
    "cut short": (b"a\xe2\x82", "a\ufffd"),
    "turned around": ("a\u202eb".encode(), "ab"),
    "line ends": (b"a\r\nb\rc\x0bd", "a\nb\nc\nd"),
    "500 families": ("👩‍👩‍👧‍👦".encode() * 500, "👩‍👩‍👧‍👦" * 500),
    "decomposed": ("한".encode(), "한"),
}


@both_databases
@pytest.mark.parametrize(("sent", "kept"), ODD.values(), ids=ODD.keys())
async def test_odd_bytes_become_a_plain_text(
    visit: Visit, make_user: MakeUser, database: Database, sent: bytes, kept: str
) -> None:
    browser = await visit(await make_user())
    answer = await send_bytes(browser, sent)
    assert answer.status_code == 303
    assert await bodies(database) == [kept]
    assert (await browser.get("/")).status_code == 200


async def send_bytes(browser: Any, text: bytes) -> Any:
    token = quote_from_bytes((await browser.token()).encode())
    body = f"csrf_token={token}&post={quote_from_bytes(text)}"
    return await browser.client.post("/posts", data=body, headers=FORM)


PARTS = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="post"%s\r\n\r\n'


@pytest.mark.parametrize("headers", [FORM, PARTS], ids=["form", "form in parts"])
@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
async def test_ten_megabytes_are_refused_in_words_that_arrive(
    server: Serving,
    make_user: MakeUser,
    database: Database,
    headers: dict[str, str],
    chunked: bool,
) -> None:
    cookie = await session_cookie(database, server.app, await make_user())
    begin = PART % b"" if headers is PARTS else b"post="

    async def flood() -> Any:
        yield begin
        for _ in range(100):
            yield b"x" * 100_000

    content: Any = flood() if chunked else begin + b"x" * 10_000_000
    async with httpx.AsyncClient(base_url=server.url, cookies={"session": cookie}) as client:
        for _ in range(3):
            answer = await client.post("/posts", content=content, headers=headers)
            assert answer.status_code == 413
            assert "Send less" in answer.text
            content = flood() if chunked else content
        assert (await client.get("/")).status_code == 200
    assert await bodies(database) == []


async def test_file_in_a_form_is_refused_and_kept_nowhere(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    body = PART % b'; filename="x"' + b"x\r\n--x--\r\n"
    answer = await browser.client.post("/posts", data=body, headers=PARTS)
    assert answer.status_code == 415
    assert await bodies(database) == []


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x",
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded; charset=utf-16",
        "x",
        "",
    ],
)
async def test_body_of_another_kind_is_refused(
    visit: Visit, make_user: MakeUser, database: Database, kind: str
) -> None:
    browser = await visit(await make_user())
    body = b'--x\r\nContent-Disposition: form-data; name="post"\r\n\r\nHi'
    for content in (b"", b"\xff\xfe", b'{"post": "x"}', body):
        answer = await browser.client.post("/posts", data=content, headers={"Content-Type": kind})
        assert 400 <= answer.status_code < 500, content
    assert await bodies(database) == []
