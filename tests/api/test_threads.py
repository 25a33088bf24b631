"""Replies, conversations, edits and histories in the API."""

from datetime import UTC, datetime

import pytest

from microblog.actions import posts
from microblog.database import Database
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.people import MakePost, MakeUser

ABSENT = "/api/posts/99999"


async def test_reply_is_published_and_found_in_the_conversation(
    program: OpenProgram, stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    root = await make_post(await make_user("mina"), "Root")
    jun = await program(await make_user("jun"))
    made = await jun.json("POST", "/api/posts", 201, json={"body": "Hi", "reply_to": str(root.id)})
    assert made["reply_to"] == str(root.id)
    told = await stranger.json("GET", f"/api/posts/{made['id']}/thread")
    assert [each["id"] for each in told["ancestors"]] == [str(root.id)]
    assert told["post"]["id"] == made["id"]
    assert told["replies"]["items"] == []
    told = await stranger.json("GET", f"/api/posts/{root.id}/thread")
    assert [each["id"] for each in told["replies"]["items"]] == [made["id"]]
    assert told["post"]["counts"] == {"replies": 1}


@pytest.mark.parametrize("nonsense", ["99999", "x", "9" * 30])
async def test_reply_to_what_is_not_there_is_refused(
    program: OpenProgram, make_user: MakeUser, nonsense: str
) -> None:
    mina = await program(await make_user())
    told = await mina.problem("POST", "/api/posts", 422, json={"body": "x", "reply_to": nonsense})
    assert list(told["errors"]) == ["reply_to"]


async def test_replies_come_oldest_first_in_pages_and_what_is_gone_keeps_its_place(
    program: OpenProgram,
    stranger: Program,
    make_user: MakeUser,
    make_post: MakePost,
    database: Database,
) -> None:
    root = await make_post(mina := await make_user(), "Root")
    replies = [await make_post(mina, f"{n}", reply_to=root.id) for n in range(3)]
    await make_post(mina, "Deeper", reply_to=replies[1].id)
    async with database.write() as tx:
        await posts.delete_post(tx, mina, replies[1].id, datetime.now(UTC))
    found, path = [], f"/api/posts/{root.id}/replies?limit=1"
    while path:
        page = await stranger.json("GET", path)
        found += page["items"]
        assert page["_meta"]["has_more"] is (page["_links"]["next"] is not None)
        path = page["_links"]["next"]
    assert [each["id"] for each in found] == [str(each.id) for each in replies]
    assert found[1] == {"id": str(replies[1].id), "deleted": True}
    gone = await stranger.json("GET", f"/api/posts/{replies[1].id}/thread")
    assert gone["post"] == found[1]
    assert len(gone["replies"]["items"]) == 1


async def test_post_is_edited_as_it_was_read(
    program: OpenProgram, stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(await make_user("mina"), "Before")
    mina = await program(post_author := await make_user("jun"))
    path = f"/api/posts/{(await make_post(post_author, 'Before')).id}"
    tag = (await mina.call("GET", path)).headers["ETag"]
    await mina.problem("PATCH", path, 428, json={"body": "After"})
    answer = await mina.call("PATCH", path, json={"body": "After"}, headers={"If-Match": tag})
    told = await answer.get_json()
    assert (answer.status_code, told["body"]) == (200, "After")
    assert told["edited_at"] is not None
    late = {"json": {"body": "Too late"}, "headers": {"If-Match": tag}}
    refusal = await mina.problem("PATCH", path, 412, **late)
    assert "changed" in refusal["detail"]
    again = {"If-Match": answer.headers["ETag"]}
    assert (await mina.json("PATCH", path, json={"body": "Last"}, headers=again))["body"] == "Last"
    history = (await stranger.json("GET", f"{path}/history"))["items"]
    assert [each["body"] for each in history] == ["Last", "After", "Before"]
    theirs = {"json": {"body": "Mine"}, "headers": {"If-Match": "*"}}
    refused = await mina.problem("PATCH", f"/api/posts/{post.id}", 404, **theirs)
    assert refused == await mina.problem("PATCH", ABSENT, 404, **theirs)


async def test_reply_does_not_stand_in_the_way_of_an_edit(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(author := await make_user(), "Before")
    mina = await program(author)
    path = f"/api/posts/{post.id}"
    tag = (await mina.call("GET", path)).headers["ETag"]
    await make_post(author, "A reply", reply_to=post.id)
    assert (await mina.call("GET", path)).headers["ETag"] != tag
    await mina.json("PATCH", path, json={"body": "After"}, headers={"If-Match": tag})


@pytest.mark.parametrize("call", ["thread", "replies", "history"])
async def test_conversation_of_what_is_not_there_is_not_found(
    stranger: Program, app: object, call: str
) -> None:
    await stranger.problem("GET", f"{ABSENT}/{call}", 404)
