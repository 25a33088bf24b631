"""What one writes is told to one's own tabs, and to nobody else's."""

from datetime import UTC, datetime

from microblog.actions import drafts, posts
from microblog.actions.posts import Draft
from microblog.core.drafts import NEW_POST, Written
from microblog.database import Database
from microblog.models import User
from microblog.render.frames import HTML_FORM
from tests.conftest import all_databases
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, session_cookie
from tests.serving import Serving

NOW = datetime.now(UTC)


async def keep(database: Database, user: User, text: str, seen: int) -> None:
    async with database.write() as tx:
        await drafts.keep(tx, user.id, NEW_POST, Written(text), seen, NOW)


@all_databases
async def test_draft_is_told_to_its_person_alone_and_once_more_to_who_was_away(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    cookie = await session_cookie(database, server.app, mina)
    others = await session_cookie(database, server.app, june)
    async with (
        listening(server.live_url, cookie=cookie) as program,
        listening(server.live_url, cookie=cookie, form=HTML_FORM) as tab,
        listening(server.live_url, cookie=others, topics="home,explore,user:1") as stranger,
    ):
        await keep(database, mina, "Rain over 서울", 0)
        for client in (program, tab):
            told = await client.item("draft")
            shown = (told["context"], told["body"], told["version"], told["language"])
            assert shown == ("post", "Rain over 서울", "1", None)
        away = {"since": tab.cursor, "epoch": tab.epoch}
        await make_post(june, "The end")
        await stranger.item("post.published")
        assert [item["kind"] for item in stranger.items].count("draft") == 0
    await keep(database, mina, "Rain over 서울, and snow", 1)
    await keep(database, mina, "Snow", 2)
    async with listening(server.live_url, cookie=cookie, form=HTML_FORM, **away) as tab:
        # Absolute state: what it is now, however often it changed.
        assert [(await tab.item("draft"))["body"] for _ in range(2)] == ["Snow", "Snow"]
        async with database.write() as tx:
            await posts.publish(tx, mina, Draft("Snow", saved=3), NOW)
        told = await tab.item("draft")
        assert (told["body"], told["version"]) == ("", "4")
