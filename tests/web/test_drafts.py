"""Drafts: kept while somebody writes, theirs alone, lost to no other device, gone when sent."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from quart import Quart

from microblog import create_app
from microblog.actions import drafts, posts
from microblog.actions.posts import Draft
from microblog.core.drafts import MAX_BYTES, MOST_DRAFTS, NEW_POST, Written
from microblog.core.errors import Conflict
from microblog.database import Database
from microblog.edge import limits
from microblog.models import User
from microblog.queries import drafts as queries
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.web.browsing import bodies, hidden, written

JSON = {"Accept": "application/json"}
NOW = datetime.now(UTC)


@pytest.fixture
async def mina(make_user: MakeUser) -> User:
    return await make_user("mina")


async def save(browser: Browser, post: str, version: str = "0", **more: str) -> tuple[int, Any]:
    """Save as the script does; return the status and the answer."""
    fields = {"context": "post", "post": post, "draft_version": version} | more
    answer = await browser.post("/drafts", fields, headers=JSON)
    return answer.status_code, await answer.get_json()


async def left(database: Database, user: User) -> dict[str, str]:
    """Return what stands in a person's forms."""
    async with database.read() as read:
        return {row.context: row.body for row in await queries.all_of(read, user.id)}


async def keep(database: Database, user: User, text: str, seen: int = 0, context: str = "") -> Any:
    async with database.write() as tx:
        return await drafts.keep(tx, user.id, context or NEW_POST, Written(text), seen, NOW)


# --- Kept, and by whom --------------------------------------------------------------------------


@all_databases
async def test_draft_is_there_on_another_device_until_it_is_published(
    visit: Visit, mina: User, database: Database
) -> None:
    phone, desk = await visit(mina), await visit(mina)
    text = "한글 <b>\n\n  and  more "
    assert (await save(phone, text, language="ko"))[1]["version"] == "1"
    page = await desk.text("/")
    assert written(page) == text
    assert 'value="ko" selected' in page
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key", "draft_version")}
    assert form["draft_version"] == "1"
    answer = await desk.client.post("/posts", form=form | {"post": text, "language": "ko"})
    assert answer.status_code == 303
    for page in (await desk.text("/"), await phone.text("/")):
        assert (written(page), hidden(page, "draft_version")) == ("", "2")
    # What was under way meanwhile comes too late to bring it back.
    assert (await save(phone, f"{text}!", "1"))[0] == 409
    assert await left(database, mina) == {}
    assert (await save(phone, "The next one", "2"))[1]["version"] == "3"


@both_databases
async def test_draft_is_nobody_elses(
    visit: Visit, mina: User, make_user: MakeUser, database: Database
) -> None:
    await save(await visit(mina), "A secret of Mina")
    other, stranger = await visit(await make_user("bora")), await visit()
    for path in ("/", "/explore", "/user/mina", "/search?q=secret", "/drafts/post"):
        assert "secret of Mina" not in await other.text(path)
    assert (await other.get("/drafts/post")).status_code == 200
    assert (await stranger.get("/drafts/post", headers=JSON)).status_code == 401
    assert (await save(stranger, "Nobody's"))[0] == 401
    assert (await save(other, "Bora's own", "1"))[1]["version"] == "1"
    assert await left(database, mina) == {NEW_POST: "A secret of Mina"}


async def test_script_reads_what_a_form_was_left_with(visit: Visit, mina: User) -> None:
    browser = await visit(mina)
    await save(browser, "An answer", context="reply:17", title="")
    answer = await browser.get("/drafts/reply:17")
    told = await answer.get_json()
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert told.pop("updated_at").endswith("Z")
    assert told == {
        "context": "reply:17",
        "title": "",
        "body": "An answer",
        "language": None,
        "version": "1",
    }
    nothing = await (await browser.get("/drafts/question")).get_json()
    assert (nothing["body"], nothing["version"]) == ("", "0")
    assert (await browser.get("/drafts/No!", headers=JSON)).status_code == 404


# --- Two devices --------------------------------------------------------------------------------


@both_databases
async def test_what_was_not_seen_is_not_replaced(
    visit: Visit, mina: User, database: Database
) -> None:
    one, two = await visit(mina), await visit(mina)
    assert (await save(one, "From one"))[0] == 200
    status, told = await save(two, "From two")
    assert (status, told["body"], told["version"]) == (409, "From one", "1")
    assert (await save(two, "From one"))[1]["version"] == "1", "who says the same agrees"
    assert (await save(two, "From two", told["version"]))[1]["version"] == "2"
    assert (await save(one, "From one, more", "1"))[0] == 409
    assert await left(database, mina) == {NEW_POST: "From two"}


@both_databases
async def test_publishing_takes_no_text_away_that_it_does_not_have(
    mina: User, database: Database
) -> None:
    async def publish(saved: int | None) -> None:
        async with database.write() as tx:
            await posts.publish(tx, mina, Draft("From one", saved=saved), NOW)

    await keep(database, mina, "From one")
    await keep(database, mina, "From two", 1)
    for saved in (1, 0, None):
        await publish(saved)
        assert await left(database, mina) == {NEW_POST: "From two"}
    await keep(database, mina, " From one\n", 2)
    await publish(0)
    assert await left(database, mina) == {}


@all_databases
async def test_one_of_two_who_save_at_once_is_told(mina: User, database: Database) -> None:
    await keep(database, mina, "Begun")
    async with database.read() as read:
        seen = await queries.of(read, mina.id, NEW_POST)
    assert seen is not None
    await keep(database, mina, "First", 1)
    with pytest.raises(Conflict):
        await keep(database, mina, "Second", 1)
    assert await left(database, mina) == {NEW_POST: "First"}


async def test_reply_and_question_let_go_of_their_own_drafts(
    mina: User, make_post: MakePost, database: Database
) -> None:
    asked = await make_post(mina, "What is rain?")
    for context in (NEW_POST, f"reply:{asked.id}", "question"):
        await keep(database, mina, "Water", context=context)
    async with database.write() as tx:
        await posts.publish(tx, mina, Draft("Water", reply_to=asked.id, saved=1), NOW)
    assert set(await left(database, mina)) == {NEW_POST, "question"}
    async with database.write() as tx:
        await posts.publish(tx, mina, Draft("Water", title="What is it?", saved=1), NOW)
    assert set(await left(database, mina)) == {NEW_POST}


# --- Without scripts ----------------------------------------------------------------------------


async def test_button_saves_and_shows_both_texts_where_there_are_two(
    visit: Visit, mina: User, database: Database
) -> None:
    browser = await visit(mina)
    page = await browser.text("/")
    form = {name: hidden(page, name) for name in ("csrf_token", "draft_version", "next")}
    form |= {"context": "post", "post": "By the button"}
    answer = await browser.client.post("/drafts", form=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "The draft was saved." in await browser.text("/")
    answer = await browser.client.post("/drafts", form=form | {"post": "From an old page"})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "From an old page" in page
    assert "By the button" in page
    again = {name: hidden(page, name) for name in (*form.keys() - {"post"},)}
    answer = await browser.client.post("/drafts", form=again | {"post": "From an old page"})
    assert answer.status_code == 303
    assert await left(database, mina) == {NEW_POST: "From an old page"}


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"post": "Long & dear " * 1000}, 400, "far too long"),
        ({"post": "Long & dear", "context": "None of ours"}, 400, "a form that is known here"),
        ({"post": "Long & dear", "csrf_token": "old"}, 403, "Your text is kept"),
    ],
)
async def test_what_cannot_be_kept_is_shown_again_with_the_reason(
    visit: Visit, mina: User, form: dict[str, str], status: int, said: str
) -> None:
    answer = await (await visit(mina)).post("/drafts", {"context": "post"} | form)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == status
    assert said in page
    assert "Long &amp; dear" in page


async def test_text_of_who_is_not_logged_in_is_kept_through_the_log_in(visit: Visit) -> None:
    answer = await (await visit()).post("/drafts", {"context": "post", "post": "Long & dear"})
    assert answer.status_code == 401
    assert hidden(await answer.get_data(as_text=True), "draft") == "Long & dear"


# --- Bounds -------------------------------------------------------------------------------------


async def test_draft_has_room_for_what_may_be_sent_and_not_for_much_more(
    visit: Visit, mina: User
) -> None:
    browser = await visit(mina)
    assert (await save(browser, "한" * 2000))[0] == 200
    assert (await save(browser, "x" * (MAX_BYTES + 1), "1"))[0] == 422
    assert (await save(browser, "nul\0 and \u202e", "1"))[1]["body"] == "nul and "


async def test_only_so_many_are_kept_and_the_new_post_is_one_of_them(
    mina: User, database: Database
) -> None:
    await keep(database, mina, "The new post")
    for number in range(MOST_DRAFTS + 3):
        await keep(database, mina, "An answer", context=f"reply:{number}")
    kept = await left(database, mina)
    assert len(kept) == MOST_DRAFTS
    assert NEW_POST in kept


async def test_who_saves_too_often_is_told_when_to_go_on(
    settings: Settings, database: Database, mina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DRAFTS_PER_MINUTE", 2)
    app = create_app(replace(settings))
    async with app.test_app():
        browser = await Visit(app, database)(mina)
        statuses = [(await save(browser, f"Text {n}", str(n)))[0] for n in range(3)]
    assert statuses == [200, 200, 429]


async def test_program_publishes_without_touching_what_is_being_written(
    app: Quart, visit: Visit, mina: User, database: Database
) -> None:
    await keep(database, mina, "Still being written")
    await (await visit(mina)).post("/posts", {"post": "Something else"})
    assert await left(database, mina) == {NEW_POST: "Still being written"}
    assert await bodies(database) == ["Something else"]
