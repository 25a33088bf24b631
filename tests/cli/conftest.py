"""The command line, run within the test or as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from microblog.cli import main
from microblog.settings import Settings
from tests.mariadb import MariaDb
from tests.services import Postgres, clean_environment


def variables(settings: Settings) -> dict[str, str]:
    """Write the settings of a test as variables."""
    found = {
        "MICROBLOG_DATA_DIR": str(settings.data_dir),
        "MICROBLOG_BCRYPT_ROUNDS": str(settings.bcrypt_rounds),
        "MICROBLOG_SECRET_KEY": settings.secret_key,
        "MICROBLOG_DATABASE_URL": settings.database_url,
        "MICROBLOG_REDIS_URL": settings.redis_url,
    }
    return {name: value for name, value in found.items() if value}


class Run:
    """Runs `microblog` in this process, in an empty folder: quick, but without signals."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env

    def __call__(self, *words: str, typed: str | bytes = "", **env: str) -> Result:
        return CliRunner().invoke(main, words, input=typed, env={**self.env, **env})

    def fails(self, *words: str, typed: str | bytes = "", **env: str) -> str:
        """Return the sentence with which a command refuses."""
        done = self(*words, typed=typed, **env)
        assert done.exit_code == 1, done.output
        assert isinstance(done.exception, SystemExit), done.exception
        return one_sentence(done.stderr)

    def works(self, *words: str, typed: str | bytes = "", **env: str) -> str:
        """Return what a command prints that must work."""
        done = self(*words, typed=typed, **env)
        assert done.exit_code == 0, done.output
        return done.stdout


def one_sentence(printed: str) -> str:
    """Return the one line that an error must be."""
    (line,) = printed.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


@pytest.fixture
def empty_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("working")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(settings: Settings, empty_folder: Path) -> Iterator[Run]:
    """Run `microblog` on the test's own database: `run("user", "role", "mina", "admin")`."""
    before = structlog.get_config()
    yield Run(variables(settings))
    structlog.configure(**before)  # the command's standard error is closed by now


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, an SQLite file where no other kind is asked for."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'blog.db'}"
        return
    server: Postgres | MariaDb = request.getfixturevalue(f"{kind}_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


def process(
    *words: str, folder: Path, typed: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m …` to its end, in `folder`, with these settings alone."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**clean_environment(), **env},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
