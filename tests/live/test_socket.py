"""`/live` over real sockets: what arrives, at whom, and in which form."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from microblog.actions import follows, notifications, posts
from microblog.database import Database
from microblog.live import stream
from microblog.render.frames import HTML_FORM
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, session_cookie
from tests.serving import Serving, serving


def now() -> datetime:
    return datetime.now(UTC)


@all_databases
@pytest.mark.smoke
async def test_stranger_sees_a_new_post_at_once(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    async with listening(server.live_url, topics="explore") as client:
        post = await make_post(mina, "Hello **world** 한글")
        data = await client.item("post.published", 2)
    assert data["id"] == str(post.id)
    assert data["body"] == "Hello **world** 한글"
    assert data["author"]["username"] == "mina"
    assert "email" not in data["author"]


@both_databases
async def test_home_brings_posts_of_followed_people_and_own_ones_only(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun, stranger = [await make_user(name) for name in ("mina", "jun", "stranger")]
    async with database.write() as tx:
        await follows.follow(tx, mina, jun, now())
    cookie = await session_cookie(database, server.app, mina)
    async with listening(server.live_url, topics="home", cookie=cookie) as client:
        await make_post(stranger, "not for mina")
        theirs = await make_post(jun, "for mina")
        own = await make_post(mina, "by mina")
        assert (await client.item("post.published"))["id"] == str(theirs.id)
        assert (await client.item("post.published"))["id"] == str(own.id)


@all_databases
async def test_deletion_reaches_every_page_that_may_show_the_post(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    for topic in ("explore", "tag:python", f"user:{mina.id}", "post:"):
        post = await make_post(mina, "about #python")
        name = topic.replace("post:", f"post:{post.id}")
        async with listening(server.live_url, topics=name, since=str(post.id)) as client:
            async with database.write() as tx:
                await posts.delete_post(tx, mina, post.id, now())
            assert (await client.item("post.deleted"))["id"] == str(post.id), topic


@all_databases
async def test_follow_notifies_and_changes_counts_and_home(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    mina_cookie = await session_cookie(database, server.app, mina)
    jun_cookie = await session_cookie(database, server.app, jun)
    async with (
        listening(server.live_url, topics="home", cookie=mina_cookie) as follower,
        listening(server.live_url, topics=f"user:{jun.id}", cookie=jun_cookie) as followed,
    ):
        async with database.write() as tx:
            await follows.follow(tx, mina, jun, now())
        assert (await follower.frame_of("resync"))["reason"] == "relations"
        assert (await followed.item("user.changed"))["follower_count"] == 1
        told = await followed.item("notification")
        assert (told["kind"], told["unread_count"]) == ("follow", 1)
        async with database.write() as tx:
            await notifications.mark_read(tx, jun.id, None, now())
        assert (await followed.item("notifications.read"))["unread_count"] == 0


async def test_heartbeat_moves_the_cursor_of_a_quiet_client(
    settings: Settings, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with (
        serving(replace(settings, heartbeat_seconds=1)) as server,
        listening(server.live_url, topics="tag:nothing") as client,
    ):
        post = await make_post(mina)
        while int((await client.frame_of("heartbeat"))["cursor"]) < post.id:
            await client.say({"type": "heartbeat"})


async def test_subscribed_topic_brings_events_and_unsubscribed_brings_none(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with listening(server.live_url) as client:
        await make_post(mina, "before")
        await client.say({"type": "subscribe", "topic": "tag:Python"})
        assert (await client.frame_of("subscribed"))["topic"] == "tag:python"
        await make_post(mina, "not this")
        post = await make_post(mina, "this #python")
        assert (await client.item("post.published"))["id"] == str(post.id)
        await client.say({"type": "unsubscribe", "topic": "tag:python"})
        await client.say({"type": "subscribe", "topic": "explore"})
        await client.frame_of("subscribed")
        other = await make_post(mina, "that")
        assert (await client.item("post.published"))["id"] == str(other.id)


async def test_markup_comes_in_the_language_of_the_page(
    server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with (
        listening(server.live_url, topics="explore", form=HTML_FORM, query={"lang": "ko"}) as ko,
        listening(server.live_url, topics="explore", form=HTML_FORM, query={"lang": "en"}) as en,
    ):
        post = await make_post(mina, "<b>bold</b> & more")
        korean = (await ko.item("post.published"))["html"]
        english = (await en.item("post.published"))["html"]
    assert f'id="post-{post.id}"' in english
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in english
    assert "년" in korean
    assert "년" not in english


async def test_one_post_is_rendered_once_for_all_listeners_of_a_language(
    server: Serving,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered = []
    original = stream.frames.as_json.post
    monkeypatch.setattr(
        stream.frames.as_json, "post", lambda row: rendered.append(row.id) or original(row)
    )
    mina = await make_user()
    async with (
        listening(server.live_url, topics="explore") as one,
        listening(server.live_url, topics="explore") as two,
        listening(server.live_url, topics=f"user:{mina.id}") as three,
    ):
        post = await make_post(mina)
        for client in (one, two, three):
            await client.item("post.published")
    assert rendered == [post.id]
