"""`microblog db` and the migrations themselves, on every database."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, text

from microblog.cli import migrations
from microblog.cli.migrations import upgrade_to_head
from microblog.core.errors import SettingError
from microblog.database import Database
from microblog.models import REVISION, Model, mariadb
from microblog.models.search import INDEX_TABLES
from microblog.queries import schema
from microblog.resources import MIGRATIONS
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.test_user import on
from tests.conftest import all_databases
from tests.mariadb import MariaDb
from tests.services import Postgres, clean_environment

ROOT = Path(__file__).resolve().parents[2]
NewDatabase = Callable[[], dict[str, str]]


@pytest.fixture
def new_database(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> NewDatabase:
    """Make the variables of an empty database."""

    def make() -> dict[str, str]:
        if backend == "sqlite":
            return {"MICROBLOG_DATABASE_URL": f"sqlite:///{tmp_path / 'new' / 'blog.db'}"}
        server: Postgres | MariaDb = request.getfixturevalue(f"{backend}_server")
        return {"MICROBLOG_DATABASE_URL": server.create_database()}

    return make


NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
}


def ours(settings: Settings) -> set[str]:
    """Return the names of the tables that there should be."""
    more = mariadb.METADATA.tables if settings.database.get_backend_name() == "mysql" else {}
    return {"alembic_version", *INDEX_TABLES, *Model.metadata.tables, *more}


async def tables(database: Database) -> set[str]:
    async with database.read() as read:
        found = set((await read.execute(text(NAMES[read.vendor]))).scalars())
    # SQLite keeps each index table in several of its own.
    return {name for name in found if not re.fullmatch(rf"({'|'.join(INDEX_TABLES)})_\w+", name)}


async def problem(database: Database) -> str | None:
    async with database.read() as read:
        return await schema.problem(read)


def alembic(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *words],
        cwd=ROOT,
        env={**clean_environment(), "MICROBLOG_ENV_FILE": os.devnull, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_revision_of_the_models_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


@all_databases
def test_init_makes_the_tables_and_may_be_run_again(run: Run, new_database: NewDatabase) -> None:
    env = new_database()
    assert REVISION in run.works("db", "init", **env)
    assert REVISION in run.works("db", "init", **env)
    settings = Settings.from_env(env)
    assert on(settings, tables) == ours(settings)
    assert on(settings, problem) is None


def test_init_makes_a_database_that_is_missing_on_its_server(
    run: Run, postgres_server: Postgres
) -> None:
    env = {"MICROBLOG_DATABASE_URL": postgres_server.database_url('it"s-new')}
    told = run.fails("db", "upgrade", **env)
    assert "does not exist. Make it with: microblog db init" in told
    try:
        assert 'Made the database it"s-new.' in run.works("db", "init", **env)
        assert "Made" not in run.works("db", "init", **env)
        assert on(Settings.from_env(env), problem) is None
    finally:
        postgres_server.execute('DROP DATABASE IF EXISTS "it""s-new" WITH (FORCE)')


def test_init_makes_a_database_on_mariadb_whose_password_is_strange(
    run: Run, mariadb_server: MariaDb
) -> None:
    name, parts = "it`s-new", {"DB_USER": "mi/na", "DB_PASSWORD": "p@/:", "DB_HOST": "127.0.0.1"}
    parts |= {"DB_PROTOCOL": "mysql+pymysql", "DB_PORT": str(mariadb_server.port)}
    env = parts | {"DB_DATABASE": name, "MICROBLOG_DATABASE_URL": ""}
    mariadb_server.execute(
        "CREATE USER 'mi/na'@'%' IDENTIFIED BY 'p@/:'", "GRANT ALL ON *.* TO 'mi/na'@'%'"
    )
    told = run.fails("db", "upgrade", **env)
    assert told.endswith("Unknown database 'it`s-new'. Make it with: microblog db init")
    try:
        assert f"Made the database {name}." in run.works("db", "init", **env)
        assert "Made" not in run.works("db", "init", **env)
        assert on(Settings.from_env(env), problem) is None
        told = run.fails("user", "role", "mina", "admin", **env | {"DB_PASSWORD": "geheim"})
        assert "Access denied for user 'mi/na'" in told
        assert "geheim" not in told
    finally:
        mariadb_server.execute("DROP USER 'mi/na'@'%'", "DROP DATABASE IF EXISTS `it``s-new`")


@all_databases
def test_check_passes_on_the_head_and_fails_before(run: Run, new_database: NewDatabase) -> None:
    assert run("db", "check").exit_code == 0
    assert "Run: microblog db upgrade" in run.fails("db", "check", **new_database())


def test_check_names_a_table_that_is_not_in_the_models(run: Run, settings: Settings) -> None:
    async def add_table(database: Database) -> None:
        async with database.write() as tx:
            await tx.execute(text("CREATE TABLE stray (id INTEGER PRIMARY KEY)"))

    on(settings, add_table)
    assert "stray" in run.fails("db", "check")


@all_databases
def test_alembic_itself_goes_down_to_nothing_and_up_again(new_database: NewDatabase) -> None:
    env = new_database()
    settings = Settings.from_env(env)
    for words, left in (
        (("upgrade", "head"), ours(settings)),
        (("downgrade", "base"), {"alembic_version"}),
        (("upgrade", "head"), ours(settings)),
    ):
        done = alembic(*words, env=env)
        assert done.returncode == 0, done.stderr
        assert on(settings, tables) == left
    assert alembic("check", env=env).returncode == 0


@all_databases
def test_two_upgrades_at_once_both_succeed(new_database: NewDatabase) -> None:
    env = new_database()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "microblog", "db", "upgrade"],
            cwd=ROOT,
            env={**clean_environment(), "MICROBLOG_ENV_FILE": os.devnull, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    printed = [process.communicate(timeout=90)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], printed
    assert on(Settings.from_env(env), problem) is None


# --- MariaDB keeps each change of a table at once ------------------------------------------------


def shape(server: MariaDb, url: str) -> dict[str, str]:
    """Return how each table was made, whatever was numbered since, and what tells its history."""
    name = url.rpartition("/")[2]
    tables = [row[0] for row in server.execute("SHOW TABLES", database=name)]
    shown = {t: server.execute(f"SHOW CREATE TABLE `{t}`", database=name)[0][1] for t in tables}
    made = {t: re.sub(r" AUTO_INCREMENT=\d+", "", statement) for t, statement in shown.items()}
    counted = "SELECT (SELECT count(*) FROM history), (SELECT last FROM log_head), count(*)"
    return made | {"": str(server.execute(f"{counted} FROM name_lock", database=name))}


def cut_off(url: str, at: int) -> None:
    """Migrate until the `at`th change of a table, and no further."""

    def count(cursor: object, statement: str, values: object, execution: Any) -> None:
        nonlocal at
        at -= execution.isddl
        if at < 0:
            raise ConnectionResetError("cut off")

    event.listen(Engine, "do_execute", count)
    try:
        with pytest.raises(SettingError, match="cut off"):
            upgrade_to_head(Settings(database_url=url))
    finally:
        event.remove(Engine, "do_execute", count)


@pytest.mark.parametrize("at", [1, 9, 30])
def test_migration_that_was_cut_off_goes_on_where_it_stopped(
    mariadb_server: MariaDb, migrated_mariadb: str, at: int
) -> None:
    url = mariadb_server.create_database()
    cut_off(url, at)
    cut_off(url, at + 1)
    begun = mariadb_server.execute("SHOW TABLES", database=url.rpartition("/")[2])
    assert ("migration_under_way",) in begun
    upgrade_to_head(Settings(database_url=url))
    assert shape(mariadb_server, url) == shape(mariadb_server, migrated_mariadb)
    mariadb_server.drop_database(url)


def test_table_of_another_program_is_not_taken_for_ours(mariadb_server: MariaDb) -> None:
    url = mariadb_server.create_database()
    mariadb_server.execute("CREATE TABLE user (theirs INT)", database=url.rpartition("/")[2])
    for taken in ("user", "event"):  # what came before it stays, and is not built on
        with pytest.raises(SettingError, match=f"Table '{taken}' already exists"):
            upgrade_to_head(Settings(database_url=url))
    mariadb_server.drop_database(url)


# --- What is refused -----------------------------------------------------------------------------


def test_upgrade_leaves_the_folder_of_the_database_made(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder with % and 한글"
    run.works("db", "upgrade", MICROBLOG_DATA_DIR=str(folder))
    assert (folder / "microblog.db").is_file()


@pytest.mark.parametrize("words", [("init",), ("upgrade",), ("check",), ("migrate", "-m", "x")])
@pytest.mark.parametrize("vendor", ["postgresql+asyncpg", "mysql+aiomysql"])
def test_database_out_of_reach_is_one_sentence_without_the_password(
    run: Run, free_port: int, words: tuple[str, ...], vendor: str
) -> None:
    url = f"{vendor}://mina:geheim@127.0.0.1:{free_port}/blog"
    told = run.fails("db", *words, DATABASE_URL=url)
    assert f"{vendor}://mina:***@127.0.0.1" in told
    assert "is DATABASE_URL right?" in told


def test_refused_role_of_the_database_is_one_sentence(run: Run, postgres_server: Postgres) -> None:
    url = postgres_server.url.replace("microblog@", "stranger@")
    told = run.fails("db", "upgrade", DATABASE_URL=url)
    assert 'role "stranger" does not exist' in told


def test_file_that_is_no_database_is_one_sentence_and_stays(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)
    assert "file is not a database" in run.fails("db", "upgrade", DATABASE_URL=f"sqlite:///{path}")
    assert path.read_text() == "not a database\n" * 100


def test_database_of_a_newer_program_is_one_sentence(run: Run, settings: Settings) -> None:
    async def age(database: Database) -> None:
        async with database.write() as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    on(settings, age)
    assert "newer Microblog" in run.fails("db", "upgrade")
    assert "newer than this program" in run.fails("user", "role", "mina", "admin")


def test_migrate_writes_the_next_number(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "alembic"
    (folder / "versions").mkdir(parents=True)
    versions = [f"versions/{path.name}" for path in (MIGRATIONS / "versions").glob("*.py")]
    for name in ("env.py", "script.py.mako", *versions):
        (folder / name).write_bytes((MIGRATIONS / name).read_bytes())
    monkeypatch.setattr(migrations, "MIGRATIONS", folder)
    run.works("db", "migrate", "-m", "add a thing")
    number = f"{int(REVISION) + 1:04d}"
    (made,) = folder.glob(f"versions/{number}*.py")
    assert made.name == f"{number}_add_a_thing.py"
    compile(made.read_text(), made, "exec")
