"""A MariaDB goes back by its own programs, and another history begins by ours."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from microblog.actions import sessions
from microblog.database import Database
from microblog.models import Post, Session
from microblog.queries import events
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.test_user import on
from tests.conftest import require
from tests.mariadb import MariaDb
from tests.people import MakePost, MakeUser
from tests.processes import find_program
from tests.services import name_in

on_mariadb = pytest.mark.parametrize("backend", ["mariadb"], indirect=True)


def client(server: MariaDb, program: str, *words: str, read: bytes = b"") -> bytes:
    """Run one of MariaDB's own programs."""
    require(program)
    where = ("--no-defaults", "-h127.0.0.1", f"-P{server.port}", "-uroot")
    return subprocess.run(
        [find_program(program) or program, *where, *words],
        input=read,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout


async def some_life(database: Database) -> None:
    mina = await MakeUser(database)(f"mina{datetime.now(UTC):%f}")
    await MakePost(database)(mina, "'quoted' \\ 한글 \N{GRINNING FACE}")
    async with database.write() as tx:
        life = timedelta(hours=1)
        await sessions.open_session(
            tx, mina.id, datetime.now(UTC), life=life, remembered=False, device="test"
        )


async def seen(database: Database) -> tuple[str, list[tuple[int, str, datetime]], int]:
    async with database.read() as read:
        found = await read.execute(select(Post.id, Post.body, Post.created_at).order_by(Post.id))
        posts = [(row[0], row[1], row[2]) for row in found]
        signed_in = await read.scalar(select(func.count()).select_from(Session))
        return await events.epoch(read), posts, signed_in


@on_mariadb
def test_dump_goes_back_and_another_history_begins(
    run: Run, settings: Settings, mariadb_server: MariaDb
) -> None:
    name = name_in(str(settings.database_url))
    on(settings, some_life)
    epoch, posts, signed_in = on(settings, seen)
    dump = client(mariadb_server, "mariadb-dump", "--single-transaction", name)
    on(settings, some_life)
    client(mariadb_server, "mariadb", name, read=dump)
    assert on(settings, seen) == (epoch, posts, signed_in)
    assert "Another history has begun" in run.works("db", "new-history")
    begun, kept, nobody = on(settings, seen)
    assert begun != epoch
    assert (kept, nobody) == (posts, 0)
    run.works("db", "check")
    on(settings, some_life)
    assert len(on(settings, seen)[1]) == len(posts) + 1


@on_mariadb
@pytest.mark.parametrize("words", [("backup",), ("restore", __file__)])
def test_our_own_backups_say_what_to_use(run: Run, words: tuple[str, ...]) -> None:
    told = run.fails("db", *words)
    assert "mariadb-dump" in told
    assert "microblog db new-history" in told
