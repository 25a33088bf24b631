"""Writing, showing and deleting posts in the pages: what was typed is never lost."""

import html
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from sqlalchemy import func, select

from microblog import create_app
from microblog.database import Database
from microblog.models import Post
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import PASSWORD, MakePost, MakeUser, Visit, session_cookie
from tests.serving import Serving
from tests.web.browsing import LOGIN

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Accept": "application/json"}


async def bodies(database: Database) -> list[str]:
    """Return the texts of all posts, oldest first."""
    async with database.read() as read:
        return list(await read.scalars(select(Post.body).order_by(Post.id)))


def written(page: str) -> str:
    """Return what stands in the form for a new post."""
    found = re.search(r'<textarea id="compose"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found, "the page has no form for a new post"
    return html.unescape(found[1])


def hidden(page: str, name: str) -> str:
    """Return the value of the first hidden field of a name."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, f"the page has no field {name}"
    return html.unescape(found[1])


@both_databases
@pytest.mark.smoke
async def test_published_post_is_shown_on_home_explore_profile_and_its_own_page(
    visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    answer = await browser.post("/posts", {"post": "Good <b>morning</b> #서울"})
    assert answer.status_code == 303
    for path in ("/", "/explore", "/user/mina", "/tag/서울"):
        page = await browser.text(path)
        assert "Good &lt;b&gt;morning&lt;/b&gt;" in page, path


async def test_text_that_is_too_long_is_kept_with_the_reason(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    answer = await browser.post("/posts", {"post": "x" * 501})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert written(page) == "x" * 501
    assert "too long by 1" in page


async def test_corrected_text_leads_to_a_page_that_can_be_read(
    visit: Visit, make_user: MakeUser
) -> None:
    """A refused form comes from /posts, where nothing can be read."""
    browser = await visit(await make_user())
    page = await (await browser.post("/posts", {"post": "x" * 501})).get_data(as_text=True)
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key", "next")}
    answer = await browser.client.post("/posts", form=form | {"post": "shorter"})
    assert answer.status_code == 303
    assert "shorter" in await browser.text(answer.headers["Location"])
    assert set(re.findall(r'name="next" value="([^"]*)"', page)) == {"/"}


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b", "\0", "\ufeff"])
async def test_text_that_shows_nothing_is_refused(
    visit: Visit, make_user: MakeUser, database: Database, text: str
) -> None:
    answer = await (await visit(await make_user())).post("/posts", {"post": text})
    assert answer.status_code == 400
    assert "Write something first." in await answer.get_data(as_text=True)
    assert await bodies(database) == []


async def test_stale_form_keeps_the_text_and_works_when_sent_again(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    text = "First\n\n  second </textarea><b>"
    answer = await browser.client.post("/posts", form={"csrf_token": "old", "post": text})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "Your text is kept" in page
    assert written(page) == text
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    again = await browser.client.post("/posts", form=form | {"post": written(page)})
    assert again.status_code == 303
    assert await bodies(database) == [text]


async def test_text_of_who_is_not_logged_in_comes_through_the_log_in(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    browser = await visit()
    text = 'A "long" text\n& <more> of it'
    page = await (await browser.post("/posts", {"post": text})).get_data(as_text=True)
    assert "Your text is kept" in page
    for password, status in (("wrong", 401), (PASSWORD, 200)):
        form = {name: hidden(page, name) for name in ("csrf_token", "next", "draft")}
        form |= {"username": "mina", "password": password}
        answer = await browser.client.post(LOGIN, form=form)
        assert answer.status_code == status
        page = await answer.get_data(as_text=True)
    assert written(page) == text.replace("\r\n", "\n")
    assert await bodies(database) == []
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key", "next")}
    sent = await browser.client.post("/posts", form=form | {"post": written(page)})
    assert sent.status_code == 303
    assert text.splitlines()[1].split()[1] in html.unescape(
        await browser.text(sent.headers["Location"])
    )
    assert await bodies(database) == [text]


async def test_program_that_is_not_logged_in_is_told_so(visit: Visit) -> None:
    answer = await (await visit()).post("/posts", {"post": "Hello"}, headers=JSON)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


# --- Twice the same ----------------------------------------------------------------------------


@both_databases
async def test_form_that_is_sent_twice_makes_one_post(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    page = await browser.text("/")
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    for _ in range(2):
        answer = await browser.client.post("/posts", form=form | {"post": "Once"})
        assert answer.status_code == 303
    assert await bodies(database) == ["Once"]


async def test_each_page_has_a_key_of_its_own(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user())
    keys = {hidden(await browser.text("/"), "idempotency_key") for _ in range(3)}
    assert len(keys) == 3
    assert "" not in keys


async def test_other_text_with_a_spent_key_is_explained_and_can_be_sent(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    page = await browser.text("/")
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    await browser.client.post("/posts", form=form | {"post": "One"})
    answer = await browser.client.post("/posts", form=form | {"post": "Other"})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "A text of this form was published before" in page
    assert written(page) == "Other"
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    assert (await browser.client.post("/posts", form=form | {"post": "Other"})).status_code == 303
    assert await bodies(database) == ["One", "Other"]


async def test_program_is_told_of_a_spent_key(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user())
    headers = JSON | {"Idempotency-Key": "k1"}
    assert (await browser.post("/posts", {"post": "One"}, headers=headers)).status_code == 201
    assert (await browser.post("/posts", {"post": "Two"}, headers=headers)).status_code == 409


# --- What cannot be a post ---------------------------------------------------------------------

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


async def test_who_writes_too_often_waits_and_keeps_the_text(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    app = create_app(replace(settings, posts_per_minute=2))
    async with app.test_app():
        visit = Visit(app, database)
        browser = await visit(mina)
        for text in ("One", "Two"):
            assert (await browser.post("/posts", {"post": text})).status_code == 303
        answer = await browser.post("/posts", {"post": "Three"})
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 30
        page = await answer.get_data(as_text=True)
        assert written(page) == "Three"
        assert "Please wait" in page
        told = await browser.post("/posts", {"post": "Three"}, headers=JSON)
        assert told.status_code == 429
        assert "Retry-After" in told.headers
        assert (await (await visit(bora)).post("/posts", {"post": "Mine"})).status_code == 303
    assert await bodies(database) == ["One", "Two", "Mine"]


# --- Deleting ----------------------------------------------------------------------------------


async def test_deleted_post_is_gone_everywhere(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user()
    post = await make_post(mina, "Soon gone")
    browser = await visit(mina)
    assert (await browser.post(f"/post/{post.id}/delete")).status_code == 303
    assert (await browser.get(f"/post/{post.id}")).status_code == 404
    for path in ("/", "/explore", "/user/mina"):
        assert "Soon gone" not in await browser.text(path)
    assert await bodies(database) == [""]
    assert (await browser.post(f"/post/{post.id}/delete")).status_code == 404


@both_databases
async def test_post_of_another_and_one_that_is_not_there_are_refused_alike(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    post = await make_post(await make_user("mina"), "Stays")
    browser = await visit(await make_user("bora"))
    for number in (post.id, post.id + 1000, 0, 2**63 - 1, 2**63, 10**30):
        answer = await browser.post(f"/post/{number}/delete")
        assert answer.status_code == 404, number
    async with database.read() as read:
        gone = select(func.count()).where(Post.deleted_at.is_not(None))
        assert await read.scalar(gone) == 0


@both_databases
@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", str(2**63), "9" * 30, "9" * 5000])
async def test_number_that_no_post_has_is_not_found(visit: Visit, number: str) -> None:
    assert (await (await visit()).get(f"/post/{number}")).status_code == 404
