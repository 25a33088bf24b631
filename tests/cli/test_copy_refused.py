"""What `microblog db copy` refuses, and a copy that was cut off, killed or differs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from microblog.actions import copying as writing
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.queries import schema
from microblog.settings import Settings
from tests.cli.conftest import Run, process, variables
from tests.cli.copies import copied, found, rows, some_life
from tests.cli.databases import on

into_every_kind = pytest.mark.parametrize(
    "target", ["sqlite", "postgres", "mariadb"], indirect=True
)

# Runs `microblog` and kills it, as the power does, at the first progress under one label.
DYING = """
import os, signal, sys
from contextlib import contextmanager
from microblog.cli import copying, main

@contextmanager
def shown(label):
    yield lambda done, total: label == sys.argv[1] and os.kill(os.getpid(), signal.SIGKILL)

copying.shown = shown
main(sys.argv[2:])
"""


# --- What is refused, and what is cut off --------------------------------------------------------


@contextmanager
def changing(url: str) -> Iterator[sqlite3.Connection]:
    """Change an SQLite file behind the program's back."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        yield file


def test_database_with_people_is_refused_and_stays(
    run: Run, settings: Settings, target: str
) -> None:
    on(settings, some_life)
    run.works("db", "copy", "--to", target)
    before = on(copied(settings, target), rows)
    told = run.fails("db", "copy", "--to", target)
    assert told.startswith("There is a microblog with 3 people already")
    with changing(target) as file:
        file.execute("CREATE TABLE migration_under_way (id INT)")  # as on MariaDB, half migrated
    assert run.fails("db", "copy", "--to", target) == told
    assert on(copied(settings, target), rows) == before


def test_database_in_which_nobody_is_yet_is_taken(
    run: Run, settings: Settings, target: str
) -> None:
    on(settings, some_life)
    run.works("db", "init", MICROBLOG_DATABASE_URL=target)

    async def wait(database: Database) -> None:
        async with database.write() as tx:
            tx.enqueue(Prune(), key="other")

    on(copied(settings, target), wait)
    run.works("db", "copy", MICROBLOG_COPY_TO=target)
    assert on(copied(settings, target), rows) == on(settings, rows)


def test_original_is_not_its_own_copy(run: Run, settings: Settings) -> None:
    same = settings.data_dir / ".." / settings.data_dir.name / "microblog.db"
    told = run.fails("db", "copy", "--to", f"sqlite:///{same}")
    assert told.endswith("is the database that is to be copied.")


def test_tables_of_another_program_are_refused(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    with changing(url) as other:
        other.execute("CREATE TABLE user (theirs INT)")
    told = run.fails("db", "copy", "--to", url)
    assert told == "There are tables, but not a Microblog's: user."


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nonsense", "--to is not an address. For example: --to=postgresql://"),
        ("oracle://mina:geheim@a/b", "--to names 'oracle', which is not supported."),
        ("postgresql://mina:geheim@127.0.0.1:1/b", "is --to right?"),
    ],
)
def test_wrong_address_is_one_sentence_without_its_password(
    run: Run, address: str, told: str
) -> None:
    printed = run.fails("db", "copy", "--to", address)
    assert told in printed
    assert "geheim" not in printed


@into_every_kind
def test_copy_that_was_cut_off_is_no_database_and_is_begun_anew(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(settings, some_life)

    def cut_off(*_: object) -> None:
        raise ConnectionResetError("the cable")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "number_on", cut_off)
        told = run.fails("db", "copy", "--to", target)
    assert told.endswith("was cut off: the cable. Run the command again: it begins anew.")
    for words in (("db", "upgrade"), ("user", "role", "mina", "admin")):
        told = run.fails(*words, MICROBLOG_DATABASE_URL=target)
        assert told.startswith("A copy into this database is not finished.")
    run.works("db", "copy", "--to", target)
    assert on(copied(settings, target), rows) == on(settings, rows)
    assert on(copied(settings, target), lambda database: found(database, "tea")) == ["bora", "jun"]


def test_copy_that_was_killed_is_begun_anew(
    run: Run, settings: Settings, target: str, empty_folder: Path
) -> None:
    on(settings, some_life)
    (empty_folder / "dying.py").write_text(DYING)
    env = {**variables(settings), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = process("dying", "Checking", "db", "copy", "--to", target, folder=empty_folder, **env)
    assert done.returncode == -9, done.stderr

    async def problem(database: Database) -> str | None:
        async with database.read() as read:
            return await schema.problem(read)

    assert "not finished" in str(on(copied(settings, target), problem))
    with changing(target) as half:
        half.execute("DROP TABLE post")  # as where the half was being taken away already
    run.works("db", "copy", "--to", target)
    assert on(copied(settings, target), problem) is None
    assert on(copied(settings, target), rows) == on(settings, rows)


def test_half_of_which_the_mark_alone_is_left_is_begun_anew(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'half.db'}"
    with changing(url) as half:
        half.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        half.execute("INSERT INTO alembic_version VALUES (?)", (schema.UNFINISHED,))
    run.works("db", "copy", "--to", url)
    assert on(copied(settings, url), rows) == on(settings, rows)


def test_copy_that_differs_is_not_used(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(settings, some_life)
    put = writing.put

    async def spoil(tx: Any, each: Any, page: list[dict[str, Any]]) -> None:
        spoilt = (
            [row | {"body": row["body"] + " "} for row in page] if each.name == "post" else page
        )
        await put(tx, each, spoilt)

    monkeypatch.setattr(writing, "put", spoil)
    assert "The table post has other rows than the original" in run.fails(
        "db", "copy", "--to", target
    )
    assert "not finished" in run.fails("db", "upgrade", MICROBLOG_DATABASE_URL=target)
