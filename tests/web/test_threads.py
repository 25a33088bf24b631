"""Conversations in the pages: what a post answers, the replies to it, and who writes them."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from microblog.actions import posts
from microblog.core.cursors import Window
from microblog.database import Database
from microblog.models import Post, User, table
from microblog.queries import threads
from tests.conftest import all_databases
from tests.people import PASSWORD, MakePost, MakeUser, Visit
from tests.statements import queries_of
from tests.web.browsing import LOGIN, hidden

JSON = {"Accept": "application/json"}
ITEM = re.compile(r'<li class="feed-item" data-post="(\d+)">')


def shown(page: str) -> list[int]:
    """Return the ids of the items of a page, in its order."""
    return [int(found) for found in ITEM.findall(page)]


async def delete(database: Database, author: User, *post_ids: int) -> None:
    async with database.write() as tx:
        for post_id in post_ids:
            await posts.delete_post(tx, author, post_id, datetime.now(UTC))


async def test_reply_stands_in_its_conversation_and_is_counted(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    post = await make_post(mina, "A question")
    browser = await visit(jun)
    path = f"/post/{post.id}"
    page = await browser.text(path)
    assert f'href="{path}#reply"' in page
    form = {name: hidden(page, name) for name in ("reply_to", "idempotency_key", "next")}
    answer = await browser.post("/posts", form | {"post": "An answer"}, page=path)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    page = await browser.text(path)
    assert f'data-replies="{post.id}">1</span>' in page
    first, reply = shown(page)
    assert first == post.id
    own = await browser.text(f"/post/{reply}")
    assert shown(own) == [post.id, reply]
    assert "Replying to @mina" in own


async def test_reply_that_is_refused_is_shown_again_in_its_conversation(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(mina := await make_user())
    browser = await visit(mina)
    form = {"post": "x" * 501, "reply_to": str(post.id)}
    answer = await browser.post("/posts", form)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "x" * 501 in page
    assert hidden(page, "reply_to") == str(post.id)
    assert shown(page) == [post.id]


@pytest.mark.parametrize("nonsense", ["99999", "x", "-1", "9" * 30])
async def test_reply_to_what_is_not_there_keeps_the_text(
    visit: Visit, make_user: MakeUser, nonsense: str
) -> None:
    browser = await visit(await make_user())
    answer = await browser.post("/posts", {"post": "To nobody", "reply_to": nonsense})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "The post that you answer is gone." in page
    assert "To nobody" in page
    assert hidden(page, "reply_to") == ""
    told = await browser.post("/posts", {"post": "x", "reply_to": nonsense}, headers=JSON)
    assert told.status_code == 422


async def test_reply_comes_through_the_log_in(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(await make_user())
    browser = await visit()
    form = {"post": "Half", "reply_to": str(post.id)}
    page = await (await browser.post("/posts", form, page=LOGIN)).get_data(as_text=True)
    form = {name: hidden(page, name) for name in ("draft", "reply_to", "next", "csrf_token")}
    login = {"username": "mina", "password": PASSWORD}
    answer = await browser.client.post(LOGIN, form=form | login)
    home = await answer.get_data(as_text=True)
    assert hidden(home, "reply_to") == str(post.id)
    assert "Half</textarea>" in home


async def test_what_was_deleted_keeps_its_place_while_something_answers_it(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    root = await make_post(mina, "Root")
    left = await make_post(jun, "Left", reply_to=root.id)
    leaf = await make_post(mina, "Leaf", reply_to=left.id)
    lone = await make_post(jun, "Lone", reply_to=root.id)
    await delete(database, jun, left.id, lone.id)
    browser = await visit()
    page = await browser.text(f"/post/{root.id}")
    assert shown(page) == [root.id, left.id]
    assert "This post was deleted." in page
    assert f'data-replies="{root.id}"></span>' in page
    page = await browser.text(f"/post/{leaf.id}")
    assert shown(page) == [root.id, left.id, leaf.id]
    assert "Replying to @jun" in page  # whose text is gone, but who is still here
    assert shown(await browser.text(f"/post/{left.id}")) == [root.id, left.id, leaf.id]
    assert (await browser.get(f"/post/{lone.id}")).status_code == 404
    await delete(database, mina, leaf.id)
    assert (await browser.get(f"/post/{leaf.id}")).status_code == 404


async def test_profile_shows_replies_to_others_only_when_asked(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    post = await make_post(jun, "From Jun")
    reply = await make_post(mina, "To Jun", reply_to=post.id)
    own = await make_post(mina, "Mine")
    more = await make_post(mina, "And more", reply_to=own.id)
    browser = await visit()
    assert shown(await browser.text("/user/mina")) == [more.id, own.id]
    assert shown(await browser.text("/user/mina/with_replies")) == [more.id, own.id, reply.id]


@all_databases
async def test_conversation_is_read_in_pages_from_either_end(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(mina := await make_user(), "Root")
    ids = [(await make_post(mina, f"{n}", reply_to=post.id)).id for n in range(7)]
    async with database.read() as read:

        async def page(**where: int) -> tuple[list[int], int | None, int | None]:
            found = await threads.replies(read, post.id, mina.id, Window(3, **where))
            return [each.id for each in found.items], found.before, found.after

        assert await page() == (ids[:3], None, ids[2])
        assert await page(after=ids[2]) == (ids[3:6], ids[3], ids[5])
        assert await page(after=ids[5]) == (ids[6:], ids[6], None)
        assert await page(before=ids[6]) == (ids[3:6], ids[3], ids[5])
        assert await page(before=ids[2]) == (ids[:2], None, ids[1])
        deep = await threads.ancestors(read, ids[0], mina.id)
    assert [each.id for each in deep] == [post.id]


async def test_page_of_a_conversation_takes_as_many_queries_however_long_it_is(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user()
    browser = await visit(mina)
    counts = {}
    for size in (3, 200):
        root = await make_post(mina, "Root")
        above = [root.id]
        for _ in range(min(size, 60)):
            above.append((await make_post(mina, "Deeper", reply_to=above[-1])).id)
        middle = above[-1]
        row = {"author_id": mina.id, "body": "Reply", "visibility": "public"}
        row |= {"created_at": datetime.now(UTC), "reply_to_id": middle}
        row |= {"reply_to_user_id": mina.id, "reply_count": 0}
        async with database.write() as tx:
            many = [{"id": middle + 1000 + n, **row} for n in range(size)]
            await tx.execute(insert(table(Post)), many)
        await browser.text(f"/post/{middle}")
        counts[size] = len(await queries_of(browser, f"/post/{middle}"))
        page = await browser.text(f"/post/{middle}")
        assert len(shown(page)) == min(size, 40) + 1 + min(size, 25)
    assert counts[3] == counts[200] <= 8
    assert counts[3] >= 5  # else they were not counted
