"""Writing, showing and deleting posts in the pages: what was typed is never lost."""

import html
import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from microblog import create_app
from microblog.database import Database
from microblog.models import Post
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.people import PASSWORD, MakePost, MakeUser, Visit
from tests.web.browsing import LOGIN, bodies, hidden, written

JSON = {"Accept": "application/json"}


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


@all_databases
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
