"""What the benchmarks fill databases with is still what the tables hold."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

from benchmarks import filling
from benchmarks.archive import archive


def test_archive_fits_into_the_tables_as_they_are(migrated_sqlite: Path, tmp_path: Path) -> None:
    database = tmp_path / "microblog.db"
    shutil.copy(migrated_sqlite, database)
    past = archive(60, writers=20, followed=10, follows_each=3)
    filling.fill(database, past)
    with contextlib.closing(sqlite3.connect(database)) as connection:

        def ask(statement: str) -> list[tuple[int, ...]]:
            return connection.execute(statement).fetchall()

        assert ask("PRAGMA foreign_key_check") == []
        assert ask("SELECT count(*) FROM post") == [(past.posts,)]
        told = ask("SELECT count(*) FROM notification")
        assert told == ask("SELECT count(*) FROM notification_group")
        assert told > [(0,)]
        assert ask("SELECT sum(post_count) FROM user") == [(past.posts,)]
