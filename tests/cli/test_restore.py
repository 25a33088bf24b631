"""`microblog db restore`: all data replaced at one moment, or nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import alembic.command
import pytest
from alembic.config import Config
from sqlalchemy import func, select

from microblog.actions import sessions, tokens
from microblog.cli.migrations import difference, upgrade_to_head
from microblog.core.access_tokens import Access
from microblog.database import Database
from microblog.models import RefreshToken, Session, TokenFamily, User
from microblog.queries import access, schema
from microblog.resources import MIGRATIONS
from microblog.settings import Settings
from tests.cli.backing_up import Seen, command, dying, ids_in, seen, writing
from tests.cli.conftest import Run
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser

LIFE = timedelta(days=1)
Command = Callable[..., Awaitable[str]]


@pytest.fixture
def restored(run: Run) -> Command:
    """Restore a backup of the working folder, beside what the test does."""

    async def restore(name: str = "it", *options: str) -> str:
        return await asyncio.to_thread(run.works, "db", "restore", name, "--yes", *options)

    return restore


@pytest.fixture
def backed_up(run: Run) -> Command:
    """Make a backup in the working folder."""

    async def back_up(name: str = "it") -> str:
        return await asyncio.to_thread(run.works, "db", "backup", name)

    return back_up


def kept_in(settings: Settings) -> Path:
    """Return the one file in which the replaced data are kept."""
    (kept,) = settings.data_dir.glob("microblog-before-restore-*")
    return kept


# --- What comes back ---------------------------------------------------------------------------


@both_databases
async def test_restore_brings_back_what_was_and_keeps_what_it_replaces(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    backed_up: Command,
    restored: Command,
) -> None:
    mina = await make_user()
    old = await make_post(mina, "old")
    await backed_up()
    before = await seen(database)
    new = await make_post(await make_user("june"), "new")
    told = await restored()
    after = await seen(database)
    assert "Restored 1 person and 1 post" in told
    assert await ids_in(settings) == {old.id}
    assert after.epoch != before.epoch
    kept = kept_in(settings)
    assert str(kept) in told
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "Restored 2 people and 2 posts" in await restored(str(kept))
    assert await ids_in(settings) == {old.id, new.id}
    assert len({before.epoch, after.epoch, (await seen(database)).epoch}) == 3


@both_databases
async def test_number_that_was_given_out_never_comes_again(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    backed_up: Command,
    restored: Command,
) -> None:
    """Else an old link would show another post, and an old cursor would pass as a good one."""
    mina = await make_user()
    await make_post(mina)
    await backed_up()
    june = await make_user("june")
    gone = [await make_post(june) for _ in range(5)]
    session_id, family_id = await signed_in(database, june)
    await restored("it", "--no-keep")
    assert (await seen(database)).pruned_to > gone[-1].id
    sora = await make_user("sora")
    assert sora.id > june.id
    assert (await make_post(sora)).id > (await seen(database)).pruned_to
    again = await signed_in(database, sora)
    assert again[0] > session_id
    assert again[1] > family_id
    assert list(settings.data_dir.glob("microblog-before-restore-*")) == []


async def signed_in(database: Database, user: User) -> tuple[int, int]:
    """Sign somebody in by a browser and by a program; return the session and the family."""
    now = datetime.now(UTC)
    how = {"life": LIFE, "device": "test"}
    async with database.write() as tx:
        await sessions.open_session(tx, user.id, now, remembered=False, **how)
        grant = await tokens.issue(tx, user.id, now, **how)
        session_id = int(await tx.scalar(select(func.max(Session.id))))
    return session_id, grant.family_id


@both_databases
async def test_session_and_token_that_were_revoked_since_stay_dead(
    database: Database, make_user: MakeUser, backed_up: Command, restored: Command
) -> None:
    mina = await make_user()
    _, family_id = await signed_in(database, mina)
    await backed_up()
    async with database.write() as tx:
        await sessions.revoke_all(tx, mina.id, datetime.now(UTC))
    await restored()
    proof = Access(mina.id, family_id)
    async with database.read() as read:
        for model in (Session, TokenFamily, RefreshToken):
            assert await read.scalar(select(func.count()).select_from(model)) == 0
        assert await access.family(read, proof.family_id, proof.user_id) is None


@both_databases
async def test_backup_of_an_older_program_is_upgraded(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    backed_up: Command,
    restored: Command,
) -> None:
    post = await make_post(await make_user())
    await asyncio.to_thread(alembic.command.downgrade, configuration(settings), "0001")
    assert "revision 0001" in await backed_up()
    await asyncio.to_thread(upgrade_to_head, settings)
    await restored()
    async with database.read() as read:
        assert await schema.problem(read) is None
    assert await ids_in(settings) == {post.id}
    assert await asyncio.to_thread(difference, settings) is None


def configuration(settings: Settings) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["settings"] = settings
    return config


# --- One moment --------------------------------------------------------------------------------


@asynccontextmanager
async def watching(database: Database) -> AsyncIterator[set[Seen]]:
    """Look at a database again and again until the block ends."""
    all_seen: set[Seen] = set()

    async def watch() -> None:
        while True:
            all_seen.add(await seen(database))
            await asyncio.sleep(0)

    task = asyncio.ensure_future(watch())
    try:
        yield all_seen
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled(), task.exception()


@both_databases
async def test_nobody_sees_the_restored_posts_under_the_former_epoch(
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    backed_up: Command,
    restored: Command,
) -> None:
    mina = await make_user()
    await backed_up()
    for _ in range(3):
        await make_post(mina)
    async with watching(database) as all_seen:
        before = await seen(database)
        await restored()
        after = await seen(database)
    assert all_seen == {before, after}
    assert before.epoch != after.epoch
    assert (before.posts, after.posts) == (3, 0)


@both_databases
async def test_post_acknowledged_until_the_last_moment_is_kept(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    empty_folder: Path,
    backed_up: Command,
    restored: Command,
) -> None:
    mina = await make_user()
    await backed_up()
    async with writing(database, mina) as mina_writes:
        await command("db", "restore", "it", "--yes", folder=empty_folder, settings=settings)
        count = len(mina_writes.acknowledged)
        while len(mina_writes.acknowledged) == count:
            await asyncio.sleep(0.01)  # the same server goes on writing
    present = await ids_in(settings)
    await restored(str(kept_in(settings)))
    kept = await ids_in(settings)
    assert present
    assert kept
    assert present | kept == set(mina_writes.acknowledged)
    assert max(kept) < min(present)


# --- Nothing, where it goes wrong --------------------------------------------------------------


@both_databases
async def test_killed_restore_leaves_everything_as_it_was(
    settings: Settings,
    empty_folder: Path,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    backed_up: Command,
) -> None:
    mina = await make_user()
    await backed_up()
    await make_post(mina)
    before = await seen(database)
    words = ("db", "restore", "it", "--yes")
    done = await asyncio.to_thread(
        dying, "Restoring", *words, folder=empty_folder, settings=settings
    )
    assert done.returncode == -9, done.stderr
    assert await seen(database) == before
    await make_post(mina)
    assert (await seen(database)).posts == 2
