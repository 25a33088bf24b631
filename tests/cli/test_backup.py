"""`microblog db backup`: one whole file, made while others write."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from microblog.cli import backup_sqlite
from microblog.database import Database
from microblog.models import REVISION
from microblog.settings import Settings
from tests.cli.backing_up import command, dying, ids_in, writing
from tests.cli.conftest import Run, variables
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser
from tests.services import Postgres, clean_environment

SUFFIXES = {"sqlite": "db", "postgres": "dump"}


@pytest.fixture
def elsewhere(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of another machine, which has no database yet."""
    folder = tmp_path / "elsewhere"
    if backend == "sqlite":
        yield Settings(data_dir=folder)
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    url = server.database_url(f"new_{os.urandom(6).hex()}")
    yield Settings(data_dir=folder, database_url=url)
    server.drop_database(url)


@both_databases
async def test_backup_made_while_somebody_posts_without_a_pause_restores_whole_elsewhere(
    settings: Settings,
    elsewhere: Settings,
    database: Database,
    make_user: MakeUser,
    run: Run,
    empty_folder: Path,
) -> None:
    mina = await make_user()
    async with writing(database, mina) as mina_writes:
        before = len(mina_writes.acknowledged)
        told = await command("db", "backup", "it", folder=empty_folder, settings=settings)
        during = len(mina_writes.acknowledged) - before
    assert "it holds 1 person and " in told
    assert during > 0
    env = variables(elsewhere) | {"MICROBLOG_SECRET_KEY": "another" * 8}
    await asyncio.to_thread(partial(run.works, "db", "restore", "it", "--yes", **env))
    held = await ids_in(elsewhere)
    assert held >= set(mina_writes.acknowledged[:before])
    # One moment: with a post, all that were there before it.
    assert held - set(mina_writes.acknowledged) == set()
    assert held == set(mina_writes.acknowledged[: len(held)])


def filled(path: Path, rows: int = 400) -> None:
    """Give a database some size, in a table that a migration doesn't know."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE filling (id INTEGER PRIMARY KEY, text)")
        connection.executemany("INSERT INTO filling (text) VALUES (?)", [("x" * 3000,)] * rows)


class Steps:
    """Progress during which another connection writes, and which has an end to its patience."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken = 0

    def __call__(self, done: int, total: int) -> None:
        self.taken += 1
        if self.taken > 4 * total:
            raise TimeoutError("it begins again and again")
        with closing(sqlite3.connect(self.path, timeout=0)) as writer, writer:
            writer.execute("UPDATE filling SET text = ? WHERE id = 1", (str(self.taken),))


def test_copy_of_a_file_comes_to_an_end_though_others_write_at_each_step(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_sqlite, "COPIED_PAGES", 8)
    live, made = tmp_path / "microblog.db", tmp_path / "made.db"
    filled(live)
    made.touch()
    steps = Steps(live)
    backup_sqlite.copy(settings, made, steps)
    assert steps.taken > 40
    with closing(sqlite3.connect(made)) as copied:
        assert copied.execute("SELECT text FROM filling WHERE id = 1").fetchone() == ("x" * 3000,)


def test_control_copy_without_a_view_of_its_own_comes_to_no_end(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_sqlite, "COPIED_PAGES", 8)
    monkeypatch.setattr(backup_sqlite, "_take_view", lambda source: None)
    live, made = tmp_path / "microblog.db", tmp_path / "made.db"
    filled(live)
    made.touch()
    with pytest.raises(Exception, match="again and again"):
        backup_sqlite.copy(settings, made, Steps(live))


@both_databases
async def test_backup_is_named_by_the_time_and_is_its_owners_alone(
    backend: str, run: Run, make_user: MakeUser, make_post: MakePost, empty_folder: Path
) -> None:
    await make_post(await make_user())
    told = await in_thread(run.works, "db", "backup")
    (made,) = empty_folder.iterdir()
    assert made.match(f"microblog-2[0-9]*-[0-9]*.{SUFFIXES[backend]}")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert f"{made.name} holds 1 person and 1 post, revision {REVISION}" in told
    await in_thread(run.works, "db", "backup", "--to", "kept/here")
    (other,) = (empty_folder / "kept" / "here").iterdir()
    assert other.suffix == made.suffix


async def in_thread(work: Any, *words: str) -> Any:
    """Call what has an event loop of its own."""
    return await asyncio.to_thread(work, *words)


@both_databases
def test_existing_file_is_not_overwritten(run: Run, empty_folder: Path) -> None:
    there = empty_folder / "dear.txt"
    there.write_text("to me")
    assert (
        run.fails("db", "backup", "dear.txt") == "dear.txt is there already and is not overwritten."
    )
    assert there.read_text() == "to me"
    assert list(empty_folder.iterdir()) == [there]


def test_file_that_appears_meanwhile_is_not_overwritten(
    run: Run, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = backup_sqlite.copy

    def overtaken(*how: Any) -> None:
        copy(*how)
        (empty_folder / "it.db").write_text("quicker")

    monkeypatch.setattr(backup_sqlite, "copy", overtaken)
    assert "is not overwritten" in run.fails("db", "backup", "it.db")
    assert [path.read_text() for path in empty_folder.iterdir()] == ["quicker"]


def test_backup_of_no_database_is_one_sentence_and_makes_none(
    run: Run, empty_folder: Path, tmp_path: Path
) -> None:
    told = run.fails("db", "backup", MICROBLOG_DATA_DIR=str(tmp_path / "none"))
    assert told.startswith("There is no database")
    assert not (tmp_path / "none").exists()
    assert list(empty_folder.iterdir()) == []


@both_databases
def test_killed_backup_leaves_nothing_under_its_name(
    settings: Settings, empty_folder: Path
) -> None:
    done = dying("Copying", "db", "backup", "it", folder=empty_folder, settings=settings)
    assert done.returncode == -9, done.stderr
    assert not (empty_folder / "it").exists()
    assert len(list(empty_folder.glob(".it.*part"))) == 1


def test_full_disk_is_one_sentence_and_leaves_nothing(
    settings: Settings, empty_folder: Path
) -> None:
    limited = 'ulimit -f 64; exec "$0" -m microblog db backup it.db'
    done = subprocess.run(
        ["bash", "-c", limited, sys.executable],
        cwd=empty_folder,
        env={**clean_environment(), **variables(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "cannot be copied" in done.stderr
    assert list(empty_folder.iterdir()) == []


# --- pg_dump -----------------------------------------------------------------------------------

on_postgres = pytest.mark.parametrize("backend", ["postgres"], indirect=True)


@pytest.fixture
def fake_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pg_dump` to be written by the test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    program = folder / "pg_dump"
    program.touch(0o700)
    return program


@on_postgres
def test_missing_pg_dump_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_folder: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install postgresql-client" in run.fails("db", "backup")
    assert list(empty_folder.iterdir()) == []


@on_postgres
def test_pg_dump_that_is_too_old_is_one_sentence(
    run: Run, fake_dump: Path, empty_folder: Path
) -> None:
    fake_dump.write_text(
        "#!/bin/sh\n"
        "echo 'pg_dump: error: aborting because of server version mismatch' >&2\n"
        "echo 'pg_dump: detail: server version: 17.2 (Debian); pg_dump version: 15.9' >&2\n"
        "exit 1\n"
    )
    told = run.fails("db", "backup")
    assert told.startswith("pg_dump 15.9 is too old for the server, PostgreSQL 17.2.")
    assert "postgresql-client-17" in told
    assert list(empty_folder.iterdir()) == []


@on_postgres
def test_password_of_the_database_is_never_on_a_command_line(
    run: Run, settings: Settings, fake_dump: Path, tmp_path: Path
) -> None:
    real = shutil.which("pg_dump", path=os.environ["PATH"].partition(":")[2])
    seen = tmp_path / "seen"
    fake_dump.write_text(f'#!/bin/sh\necho "$PGPASSWORD" "$@" > {seen}\nexec {real} "$@"\n')
    url = str(settings.database_url).replace("microblog@", "microblog:geheim@")
    run.works("db", "backup", MICROBLOG_DATABASE_URL=url)
    password, _, words = seen.read_text().partition(" ")
    assert password == "geheim"
    assert "--format=custom" in words
    assert "geheim" not in words


@on_postgres
def test_tables_of_others_in_the_same_database_are_left_out(
    run: Run, settings: Settings, empty_folder: Path, postgres_server: Postgres
) -> None:
    subprocess.run(
        ["psql", "-qd", str(settings.database_url), "-c", "CREATE TABLE theirs (id int)"],
        check=True,
    )
    run.works("db", "backup", "it.dump")
    listed = subprocess.run(
        ["pg_restore", "--list", empty_folder / "it.dump"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert " TABLE DATA public post " in listed
    assert "theirs" not in listed
    run.works("db", "restore", "it.dump", "--yes")
    subprocess.run(
        ["psql", "-qd", str(settings.database_url), "-c", "SELECT * FROM theirs"],
        check=True,
        capture_output=True,
    )
