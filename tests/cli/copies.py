"""What a test copies from one database into another, and how it looks at both."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from microblog.actions import follows, messages, sessions
from microblog.actions.messages import Letter
from microblog.core import search_query
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.models import Avatar, Session, Translation, Try, User
from microblog.queries import copying, events, message_search, search
from microblog.queries.search import Asked
from microblog.settings import Settings
from tests.people import MakePost, MakeUser

LIFE = timedelta(days=1)


async def some_life(database: Database) -> None:
    """Let people do a bit of everything, in every kind of column."""
    now, make_user, make_post = datetime.now(UTC), MakeUser(database), MakePost(database)
    mina, jun, bora = [await make_user(name) for name in ("mina", "jun", "bora")]
    first = await make_post(
        mina, "한글은 #서울 @jun 'quoted' \\ \N{GRINNING FACE} https://a.example"
    )
    await make_post(jun, "An answer, @mina @bora #서울 #tea", reply_to=first.id)
    await make_post(bora, "Which tea?\n" * 9, title="A question", language="en")
    async with database.write() as tx:
        await follows.follow(tx, mina, jun, now)
        await messages.send(tx, mina, jun, Letter("a private 비밀"), now)
        await messages.send(tx, jun, mina, Letter("and another"), now)
        for size in (96, 400):
            picture = bytes(range(256)) * 50
            row = {"user_id": mina.id, "size": size, "name": "x", "content": picture}
            await tx.insert(Avatar, row | {"created_at": now})
        await tx.insert(Try, *({"key": bytes([n]) * 32, "created_at": now} for n in range(5)))
        pairs = [
            (digest, target) for digest in (b"\0" * 32, b"\xff" * 32) for target in ("en", "ko")
        ]
        given = {"source": "und", "detected": "en", "text": "", "provider": "x", "created_at": now}
        await tx.insert(
            Translation, *(given | {"text_digest": one, "target": two} for one, two in pairs)
        )
        tx.enqueue(Prune(), key="한글", at=now)
        for person in (mina, jun):
            await sessions.open_session(
                tx, person.id, now, life=LIFE, remembered=True, device="a phone"
            )
    async with database.write() as tx:
        await tx.execute(delete(Session).where(Session.user_id == jun.id))


async def rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return everything that a copy has to have, in an order of its own."""
    async with database.read() as read:
        return {
            each.name: sorted(
                [row async for page in copying.pages(read, each) for row in page], key=repr
            )
            for each in copying.TABLES
        }


async def end_of(database: Database) -> events.Head:
    async with database.read() as read:
        return await events.head(read)


async def go_on(database: Database) -> tuple[int, int, int]:
    """Sign up, sign in and post; return the new numbers of person, session and post."""
    sora = await MakeUser(database)("sora")
    async with database.write() as tx:
        await sessions.open_session(
            tx, sora.id, datetime.now(UTC), life=LIFE, remembered=False, device="a desk"
        )
    post = await MakePost(database)(sora, "I am new here")
    async with database.read() as read:
        return (
            sora.id,
            int(await read.scalar(select(Session.id).order_by(Session.id.desc()))),
            post.id,
        )


async def found(database: Database, words: str) -> list[str]:
    async with database.read() as read:
        query = search_query.parse(words)
        page = await search.posts(read, query, Asked(None, 10), by_time=True)
        return [post.author.username for post in page.items]


async def found_messages(database: Database) -> int:
    async with database.read() as read:
        mina = await read.scalar(select(User.id).where(User.username == "mina"))
        return len(
            (
                await message_search.find(read, mina, search_query.parse("비밀"), Asked(mina, 9))
            ).items
        )


def copied(settings: Settings, url: str) -> Settings:
    return Settings(data_dir=settings.data_dir, database_url=url)
