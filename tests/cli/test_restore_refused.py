"""What `microblog db restore` refuses, and that everything then is as it was."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from microblog.cli import backup_postgres, backup_sqlite, backups
from microblog.database import Database
from microblog.models import REVISION
from microblog.queries import schema
from microblog.settings import Settings
from tests.cli.backing_up import seen
from tests.cli.conftest import Run
from tests.cli.test_user import on
from tests.conftest import both_databases
from tests.services import Postgres


@both_databases
def test_restore_that_fails_at_the_last_step_leaves_everything_as_it_was(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.works("db", "backup", "it")
    before = on(settings, seen)

    def refuse(*_: object) -> None:
        raise OSError("the power goes")

    monkeypatch.setattr(backup_sqlite, "_number_on", refuse)
    monkeypatch.setattr(backup_postgres, "_number_on", refuse)
    assert "the power goes" in run.fails("db", "restore", "it", "--yes")
    assert on(settings, seen) == before


@both_databases
def test_restore_asks_and_takes_no_for_an_answer(run: Run, settings: Settings) -> None:
    run.works("db", "backup", "it")
    before = on(settings, seen)
    done = run("db", "restore", "it", typed="n\n")
    assert done.exit_code == 1
    assert "Replace all data of " in done.stdout
    assert on(settings, seen) == before
    assert run("db", "restore", "it", typed="y\n").exit_code == 0
    assert on(settings, seen) != before


@both_databases
def test_file_that_is_no_whole_backup_is_refused(
    backend: str, run: Run, settings: Settings, empty_folder: Path
) -> None:
    run.works("db", "backup", "it")
    whole = (empty_folder / "it").read_bytes()
    others = {"sqlite": backup_postgres.MAGIC, "postgres": backup_sqlite.MAGIC}
    damaged = {"sqlite": "is not a whole backup", "postgres": "cannot be read to its end"}[backend]
    before = on(settings, seen)
    for content, why in (
        (b"", "is not a backup made by: microblog db backup"),
        (b"Dear diary,\n" * 1000, "is not a backup made by: microblog db backup"),
        (others[backend] + b"\0" * 1000, "and DATABASE_URL is another"),
        (whole[: len(whole) // 2], damaged),
        (whole[:-1], damaged),
        (whole[:100], damaged),
        (whole[:8000] + bytes(8000) + whole[16000:], damaged),
    ):
        (empty_folder / "wrong").write_bytes(content)
        assert why in run.fails("db", "restore", "wrong", "--yes")
    assert on(settings, seen) == before


def test_database_of_another_program_is_no_backup_and_is_not_replaced(
    run: Run, empty_folder: Path
) -> None:
    with closing(sqlite3.connect(empty_folder / "other.db")) as other, other:
        other.execute("CREATE TABLE note (id INTEGER PRIMARY KEY)")
        other.execute("INSERT INTO note VALUES (7)")
    assert "not a Microblog's" in run.fails("db", "restore", "other.db", "--yes")
    run.works("db", "backup", "it.db")
    url = f"sqlite:///{empty_folder / 'other.db'}"
    assert "not a Microblog's" in run.fails(
        "db", "restore", "it.db", "--yes", MICROBLOG_DATABASE_URL=url
    )
    with closing(sqlite3.connect(empty_folder / "other.db")) as other:
        assert other.execute("SELECT id FROM note").fetchall() == [(7,)]


def test_tables_of_another_program_are_not_replaced(
    run: Run, settings: Settings, postgres_server: Postgres, migrated_postgres: str
) -> None:
    url = postgres_server.create_database(migrated_postgres)
    other = postgres_server.create_database()

    async def make_theirs(database: Database) -> None:
        async with database.write() as tx:
            await tx.execute(text("CREATE TABLE post (id int)"))

    on(replace(settings, database_url=other), make_theirs)
    run.works("db", "backup", "it.dump", MICROBLOG_DATABASE_URL=url)
    told = run.fails("db", "restore", "it.dump", "--yes", MICROBLOG_DATABASE_URL=other)
    assert told == "There are tables, but not a Microblog's: post."


@both_databases
def test_backup_of_a_newer_program_is_refused(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.works("db", "backup", "it")
    before = on(settings, seen)
    monkeypatch.setattr(backups, "REVISION", "0000")
    told = run.fails("db", "restore", "it", "--yes")
    assert f"of a newer Microblog (revision {REVISION}, this program knows 0000)" in told
    assert on(settings, seen) == before


def test_database_itself_is_no_backup_of_itself(run: Run, settings: Settings) -> None:
    live = str(settings.data_dir / "microblog.db")
    assert "is the database itself" in run.fails("db", "restore", live, "--yes")


def test_file_that_somebody_holds_locked_is_not_replaced(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.works("db", "backup", "it.db")
    before = on(settings, seen)
    monkeypatch.setattr(backup_sqlite, "PATIENCE_SECONDS", 0.1)
    with closing(sqlite3.connect(settings.data_dir / "microblog.db")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert "is locked. Nothing was changed." in run.fails("db", "restore", "it.db", "--yes")
    assert on(settings, seen) == before


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_tables_that_somebody_holds_locked_are_not_replaced(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.works("db", "backup", "it.dump")
    monkeypatch.setattr(backup_postgres, "LOCK_TIMEOUT", "50ms")

    async def hold(database: Database) -> str:
        async with database.write() as tx:
            await tx.execute(text("UPDATE history SET pruned_to = pruned_to"))
            return await asyncio.to_thread(run.fails, "db", "restore", "it.dump", "--yes")

    assert "lock timeout. Nothing was changed." in on(settings, hold)


def test_file_with_pages_of_another_size_is_brought_in(
    run: Run, settings: Settings, empty_folder: Path
) -> None:
    run.works("db", "backup", "it.db")
    with closing(sqlite3.connect(empty_folder / "it.db")) as made:
        made.execute("PRAGMA page_size=8192")
        made.execute("VACUUM")
    run.works("db", "restore", "it.db", "--yes")
    with closing(sqlite3.connect(settings.data_dir / "microblog.db")) as live:
        assert live.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert on(settings, problem) is None


async def problem(database: Database) -> str | None:
    async with database.read() as read:
        found = await schema.problem(read)
    return None if found is None else str(found)
