"""Editing one's own post in the pages, and what follows from it."""

import asyncio
import html
import re

import pytest
from sqlalchemy import select

from microblog.actions import posts, search_index
from microblog.actions.posts import Edit
from microblog.core.errors import Changed, NotFound
from microblog.database import Database
from microblog.models import Mention, Notification, PostTag, PostVersion, User
from microblog.queries import posts as queries
from microblog.queries.rows import PostRow
from tests.conftest import all_databases
from tests.people import MakePost, MakeUser, Visit
from tests.realtime.test_no_gap import now
from tests.web.browsing import hidden
from tests.web.rows import changed, every_row

TYPED = re.compile(r'<textarea[^>]* name="post"[^>]*>\n(.*?)</textarea>', re.DOTALL)


def typed(page: str) -> str:
    """Return what stands in the form."""
    found = TYPED.search(page)
    assert found, "the page has no form"
    return html.unescape(found[1])


async def edited(database: Database, author: User, post: PostRow, body: str) -> PostRow:
    """Let a post say something else."""
    async with database.write() as tx:
        return await posts.edit(tx, author, post.id, Edit(body, post.version), now())


# --- The page ------------------------------------------------------------------------------------


async def test_edited_post_says_so_everywhere_and_its_history_shows_what_it_said(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    browser = await visit(mina := await make_user())
    post = await make_post(mina, "Godo morning")
    path = f"/post/{post.id}"
    assert f'href="{path}/edit"' in await browser.text(path)
    page = await browser.text(f"{path}/edit")
    assert typed(page) == "Godo morning"
    form = {"post": "Good morning", "version": hidden(page, "version")}
    answer = await browser.post(f"{path}/edit", form, page=f"{path}/edit")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    for where in ("/", "/explore", "/user/mina", path):
        shown = await browser.text(where)
        assert "Good morning" in shown, where
        assert "Godo" not in shown, where
        assert f'class="post-edited" href="{path}/history"' in shown, where
    history = await (await visit()).text(f"{path}/history")
    assert history.index("Good morning") < history.index("Godo morning")


async def test_only_its_author_may_edit_a_post(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    post = await make_post(await make_user("mina"))
    browser = await visit(await make_user("jun"))
    before = await every_row(database)
    absent = await browser.get("/post/99999/edit")
    theirs = await browser.get(f"/post/{post.id}/edit")
    assert theirs.status_code == absent.status_code == 404
    form = {"post": "Mine now", "version": post.version}
    assert (await browser.post(f"/post/{post.id}/edit", form)).status_code == 404
    assert f"/post/{post.id}/edit" not in await browser.text(f"/post/{post.id}")
    assert changed(before, await every_row(database)) == []


@pytest.mark.parametrize("text", ["", "x" * 501])
async def test_text_that_cannot_be_kept_is_shown_again(
    visit: Visit, make_user: MakeUser, make_post: MakePost, text: str
) -> None:
    browser = await visit(mina := await make_user())
    post = await make_post(mina, "As it was")
    form = {"post": text, "version": post.version}
    answer = await browser.post(f"/post/{post.id}/edit", form)
    assert answer.status_code == 400
    assert typed(await answer.get_data(as_text=True)) == text
    assert "As it was" in await browser.text(f"/post/{post.id}")


async def test_second_of_two_edits_is_told_and_may_be_sent_again(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    browser = await visit(mina := await make_user())
    post = await make_post(mina, "Before")
    await edited(database, mina, post, "From the other window")
    path = f"/post/{post.id}/edit"
    answer = await browser.post(path, {"post": "From this one", "version": post.version})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert typed(page) == "From this one"
    assert "From the other window" in page
    form = {"post": typed(page), "version": hidden(page, "version")}
    assert (await browser.post(path, form)).status_code == 303
    async with database.read() as read:
        said = [
            each.body
            for each in await queries.versions(read, await queries.visible(read, post.id, None))
        ]
    assert said == ["From this one", "From the other window", "Before"]


# --- What follows --------------------------------------------------------------------------------


@all_databases
async def test_mentions_tags_and_search_follow_the_new_text(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun, bora, sora = [await make_user(n) for n in ("mina", "jun", "bora", "sora")]
    post = await make_post(mina, "@jun and @bora about #rain")
    post = await edited(database, mina, post, "@bora and @sora about #snow")
    post = await edited(database, mina, post, "@jun and @sora about #snow")
    assert set((post.mentioned or "").split()) == {"jun", "sora"}
    async with database.write() as tx:
        assert await search_index.catch_up(tx, "database", 0, 100) > post.id
        told = sorted(await tx.scalars(select(Notification.user_id)))
        tags = list(await tx.scalars(select(PostTag.tag)))
        mentioned = set(await tx.scalars(select(Mention.user_id)))
    assert told == [jun.id, bora.id, sora.id]  # each once, also who was left out and came back
    assert tags == ["snow"]
    assert mentioned == {jun.id, sora.id}


async def test_unchanged_text_changes_nothing(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(mina := await make_user(), "The same")
    before = await every_row(database)
    assert await edited(database, mina, post, "  The same ") == post
    assert changed(before, await every_row(database)) == []


@all_databases
async def test_of_edits_at_once_one_is_kept_and_the_others_are_told(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(mina := await make_user(), "Before")
    tries = (edited(database, mina, post, f"Edit {number}") for number in range(5))
    made = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Changed"] * 4 + ["PostRow"]
    async with database.read() as read:
        assert list(await read.scalars(select(PostVersion.body))) == ["Before"]


async def test_deleted_post_leaves_nothing_of_what_it_said(
    database: Database, make_user: MakeUser, make_post: MakePost, visit: Visit
) -> None:
    post = await make_post(mina := await make_user(), "A secret")
    post = await edited(database, mina, post, "Nothing")
    async with database.write() as tx:
        await posts.delete_post(tx, mina, post.id, now())
    async with database.read() as read:
        assert list(await read.scalars(select(PostVersion.body))) == []
    assert (await (await visit(mina)).get(f"/post/{post.id}/history")).status_code == 404
    with pytest.raises(NotFound):
        await edited(database, mina, post, "Again")


async def test_reply_is_no_new_version_of_what_it_answers(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(mina := await make_user(), "Question")
    await make_post(mina, "Answer", reply_to=post.id)
    post = await edited(database, mina, post, "A question")
    with pytest.raises(Changed):
        await edited(database, mina, post._replace(body="Question"), "Once more")
