"""What a deleted person leaves is deleted, a few things a transaction, whatever dies meanwhile."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from microblog import export_files
from microblog.actions import accounts, departures, follows, sessions
from microblog.core.events import Kind
from microblog.core.tasks import FeedSearch, PurgePerson, TellOfPresence
from microblog.database import Database
from microblog.jobs import HANDLERS
from microblog.models import EventRow, Follow, Job, Mention, Notification, Post, Session, User
from microblog.queries import users
from microblog.queries.rows import PostRow
from microblog.queries.search_index import INDEX
from microblog.settings import Settings
from tests import forms
from tests.conftest import all_databases
from tests.jobs.conftest import jobs_of, until, working
from tests.jobs.process import DEPARTING, WorkerProcess
from tests.people import MakePost, MakeUser

KINDS = (PurgePerson.kind, TellOfPresence.kind, FeedSearch.kind)
OURS = {kind: HANDLERS[kind] for kind in KINDS}
POSTS = 60  # more than a transaction buries
KILLED_ON = forms.of(["sqlite"], ["sqlite", "postgres", "mariadb"])
MANY = forms.of(400, 5000)  # more than a worker buries before it is killed


async def delete(database: Database, user: User) -> None:
    async with database.write() as tx:
        await departures.delete(tx, user, datetime.now(UTC))


async def is_purged(database: Database) -> bool:
    return not any([await jobs_of(database, kind) for kind in KINDS])


async def count(database: Database, model: type, *conditions: object) -> int:
    async with database.read() as read:
        statement = select(func.count()).select_from(model).where(*conditions)  # type: ignore[arg-type]
        return int(await read.scalar(statement))


async def full_life(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> tuple[User, User, User, PostRow]:
    """Let Mina, who will leave, have everything; return her, two others, and Jun's question."""
    now = datetime.now(UTC)
    mina, jun, sora = [await make_user(name) for name in ("mina", "jun", "sora")]
    async with database.write() as tx:
        for follower, followed in ((mina, jun), (jun, mina), (sora, mina), (sora, jun)):
            await follows.follow(tx, follower, followed, now)
        await accounts.edit_profile(tx, mina, "Mina Kim", "Seoul")
        life = timedelta(days=1)
        await sessions.open_session(tx, mina.id, now, life=life, remembered=False, device="")
    question = await make_post(jun, "Who knows? @mina")
    for number in range(POSTS):
        await make_post(mina, f"{number} @sora", reply_to=question.id if number % 2 else None)
    export = export_files.path(settings.data_dir, mina.id, 1)
    export.parent.mkdir()
    export.write_bytes(b"an archive")
    return mina, jun, sora, question


@all_databases
async def test_nothing_is_left_of_a_deleted_person_but_the_name(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun, sora, question = await full_life(settings, database, make_user, make_post)
    await delete(database, mina)
    async with working(settings, OURS):
        await until(lambda: is_purged(database))
    async with database.read() as read:
        gone, other, third = [await read.get(User, one.id) for one in (mina, jun, sora)]
        asked = await read.get(Post, question.id)
        bodies = set(await read.scalars(select(Post.body).where(Post.author_id == mina.id)))
        assert await users.is_taken(read, "mina")
        key = "rowid" if read.vendor == "sqlite" else "id"
        index = INDEX["post"].name
        found = list(await read.scalars(text(f"SELECT {key} FROM {index}")))
    assert gone is not None
    assert (gone.username, gone.display_name, gone.about_me, gone.email) == ("mina", "", "", "")
    assert (gone.post_count, gone.follower_count, gone.following_count) == (0, 0, 0)
    assert bodies == {""}
    assert await count(database, Post, Post.author_id == mina.id, Post.deleted_at.is_(None)) == 0
    assert other is not None
    assert (other.follower_count, other.following_count) == (1, 0)
    assert third is not None
    assert (third.follower_count, third.following_count) == (0, 1)
    assert asked is not None
    assert asked.reply_count == 0
    assert found == [question.id]
    assert await count(database, Follow) == 1
    assert await count(database, Mention, Mention.user_id == mina.id) == 0
    assert await count(database, Notification) == 1  # that Sora follows Jun
    assert await count(database, Session) == 0
    assert await count(database, EventRow, EventRow.kind == Kind.POST_DELETED) == POSTS
    assert not export_files.path(settings.data_dir, mina.id, 1).exists()


@pytest.fixture
def worker(settings: Settings) -> Iterator[WorkerProcess]:
    process = WorkerProcess(settings, DEPARTING)
    yield process
    process.close()


@pytest.mark.parametrize("backend", KILLED_ON, indirect=True)
async def test_purge_goes_on_after_its_worker_was_killed(
    settings: Settings,
    database: Database,
    worker: WorkerProcess,
    make_user: MakeUser,
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    async with database.write() as tx:
        now = datetime.now(UTC)
        asked = {"id": 10**6, "author_id": jun.id, "reply_count": MANY}
        row = {"body": "x", "visibility": "public", "created_at": now}
        answer = {"author_id": mina.id, "reply_to_id": 10**6, "reply_to_user_id": jun.id}
        await tx.insert(Post, row | asked)
        ids = range(10**6 + 1, 10**6 + 1 + MANY)
        await tx.insert(Post, *(row | answer | {"id": number} for number in ids))
    await delete(database, mina)
    await asyncio.to_thread(worker.start)

    async def left() -> int:
        return await count(database, Post, Post.author_id == mina.id, Post.deleted_at.is_(None))

    async def has_begun() -> bool:
        return await left() < MANY

    await until(has_begun)
    await asyncio.to_thread(worker.kill)
    assert 0 < await left() < MANY, "it was killed in the middle"
    await asyncio.to_thread(worker.start)

    async def is_done() -> bool:
        return not await jobs_of(database, PurgePerson.kind)

    await until(is_done)
    assert await left() == 0
    async with database.read() as read:
        assert await read.scalar(select(Post.reply_count).where(Post.id == 10**6)) == 0
    assert await count(database, EventRow, EventRow.kind == Kind.POST_DELETED) == MANY
    assert await count(database, Job, Job.kind == PurgePerson.kind) == 0
