"""Coming back to `/live`: exactly what was missed, or a reason to load anew."""

import json
from datetime import UTC, datetime

import pytest

from microblog.actions import posts, retention
from microblog.database import Database
from tests.conftest import all_databases
from tests.live.clients import listening
from tests.people import MakePost, MakeUser
from tests.serving import Serving


def now() -> datetime:
    return datetime.now(UTC)


@all_databases
async def test_client_that_comes_back_gets_exactly_what_it_missed(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with listening(server.live_url, topics="explore") as client:
        await make_post(mina, "seen")
        await client.item("post.published")
        cursor, epoch = client.cursor, client.epoch
    missed = [await make_post(mina, f"missed {n}") for n in range(70)]
    async with listening(server.live_url, topics="explore", since=cursor, epoch=epoch) as client:
        after = await make_post(mina, "after")
        expected = [str(post.id) for post in [*missed, after]]
        while len(client.items) < len(expected):
            await client.frame()
        assert [item["data"]["id"] for item in client.items] == expected


async def test_post_that_was_deleted_meanwhile_is_not_shown_again(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    post = await make_post(mina, "a secret")
    async with database.write() as tx:
        await posts.delete_post(tx, mina, post.id, now())
    async with listening(server.live_url, topics="explore", since="0") as client:
        assert await client.item("post.deleted") == {"id": str(post.id)}
    assert [item["kind"] for item in client.items] == ["post.deleted"]
    assert "a secret" not in json.dumps(client.items)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"since": "1", "epoch": "another"}, "epoch"),
        ({"since": "99999999"}, "future"),
        ({"since": "nonsense"}, "malformed"),
        ({"since": "-1"}, "malformed"),
        ({"since": "9" * 30}, "malformed"),
    ],
)
async def test_impossible_cursor_is_told_to_resync(
    server: Serving, make_user: MakeUser, make_post: MakePost, query: dict[str, str], reason: str
) -> None:
    await make_post(await make_user())
    async with listening(server.live_url, topics="explore", query=query) as client:
        assert (await client.frame())["reason"] == reason


@all_databases
async def test_pruned_cursor_is_told_to_resync_and_goes_on_live(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    first = await make_post(mina, "first")
    for n in range(5):
        await make_post(mina, f"{n}")
    async with database.write() as tx:
        limit = await retention.prune(tx, now(), keep_days=7, keep_events=3)
    assert limit > first.id
    async with listening(server.live_url, topics="explore", since=str(first.id)) as client:
        assert (await client.frame())["reason"] == "expired"
        post = await make_post(mina, "live again")
        assert (await client.item("post.published"))["id"] == str(post.id)
    async with listening(server.live_url, topics="explore", since=str(limit)) as client:
        assert (await client.frame_of("events"))["items"]


async def test_client_that_is_too_far_behind_is_told_to_resync(
    server: Serving,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("microblog.realtime.replay.FURTHEST_BEHIND", 5)
    mina = await make_user()
    for n in range(4):
        await make_post(mina, f"{n}")
    async with listening(server.live_url, topics="explore", since="0") as client:
        assert (await client.frame())["reason"] == "behind"


async def test_client_that_is_ahead_of_its_process_is_not_sent_what_it_has(
    server: Serving, make_user: MakeUser, make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tail of this process lags: its page is newer than what the hub knows."""
    tail = server.runtime.tail
    catch_up = tail.catch_up

    async def paused() -> None:
        return None

    monkeypatch.setattr(tail, "catch_up", paused)
    monkeypatch.setattr("microblog.realtime.tail.PAGE_EVENTS", 1)
    mina = await make_user()
    for number in range(3):
        await make_post(mina, f"on the page {number}")
    async with listening(server.live_url, topics="explore") as client:
        monkeypatch.setattr(tail, "catch_up", catch_up)
        post = await make_post(mina, "new")
        assert (await client.item("post.published"))["id"] == str(post.id)
