"""`microblog shell`: what is piped, what is typed at a terminal, and that nothing slips."""

import fcntl
import os
import pty
import re
import select as readiness
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from microblog import actions
from microblog.cli import shell, tables
from microblog.database import Database
from microblog.models import Post, User
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.databases import on
from tests.conftest import all_databases
from tests.people import MakeUser
from tests.services import clean_environment


@pytest.fixture
def mina(settings: Settings) -> User:
    async def make(database: Database) -> User:
        return await MakeUser(database)("mina")

    return on(settings, make)


def bodies(settings: Settings) -> list[str]:
    async def read(database: Database) -> list[str]:
        async with database.read() as read:
            return list(await read.scalars(select(Post.body).order_by(Post.id)))

    return on(settings, read)


WRITING = """
mina = await queries.users.by_username(session, "mina")
async with write() as tx:
    await actions.posts.publish(tx, mina, actions.posts.Draft("안녕 Hello"), now())

await show(select(Post.id, Post.body))
"""


@all_databases
@pytest.mark.usefixtures("mina")
def test_piped_text_reads_writes_and_shows(run: Run, settings: Settings) -> None:
    heading, rule, row = run.works("shell", typed=WRITING).splitlines()
    assert re.fullmatch(r"id +body", heading)
    assert re.fullmatch(r"-+  -{10}", rule)  # Hangul takes two columns
    assert re.fullmatch(r"\d+ +안녕 Hello", row)
    assert bodies(settings) == ["안녕 Hello"]


@pytest.mark.usefixtures("mina")
def test_every_example_of_the_banner_runs(run: Run, settings: Settings) -> None:
    lines = [line for line in shell.BANNER.splitlines() if line.startswith("  ")]
    source = "\n".join(re.split(r" {6,}all|   +a table|  +all writes", x[2:])[0] for x in lines)
    printed = run.works("shell", typed=source)
    assert "mina@example.org" in printed
    assert "\n0\n" in printed  # how many posts there were
    assert bodies(settings) == ["Hello"]


@pytest.mark.usefixtures("mina")
def test_every_example_of_the_document_runs(run: Run, settings: Settings) -> None:
    document = (Path(__file__).parents[2] / "docs" / "shell.md").read_text()
    pieces = re.findall(r"```python\n(.+?)```", document, re.DOTALL)
    assert len(pieces) == 4
    printed = run.works("shell", typed="\n".join(pieces))
    assert "username  post_count" in printed
    assert "1 0\n" in printed
    assert bodies(settings) == ["The server moves tonight."]


@all_databases
@pytest.mark.usefixtures("mina")
@pytest.mark.parametrize("way", ["await session.execute({})", "await show({})"])
@pytest.mark.parametrize("what", ["delete(User)", "text('DELETE FROM post')"])
def test_nothing_is_written_without_a_transaction(
    run: Run, settings: Settings, way: str, what: str
) -> None:
    on(settings, _posted)
    done = run("shell", "-c", way.format(what))
    assert done.exit_code == 1
    assert re.match("(Forbidden: This only reads|OperationalError: .*readonly)", done.stderr)
    assert bodies(settings) == ["Here"]


async def _posted(database: Database) -> None:
    async with database.read() as read:
        mina = (await read.scalars(select(User))).one()
    async with database.write() as tx:
        await actions.posts.publish(tx, mina, actions.posts.Draft("Here"), shell.now())


@pytest.mark.usefixtures("mina")
def test_what_fails_rolls_its_transaction_back(run: Run, settings: Settings) -> None:
    failing = WRITING.replace("\n\nawait show", "\n    1 / 0\n\nawait show")
    done = run("shell", typed=failing)
    assert done.exit_code == 1
    assert 'File "<shell>", line 5' in done.stderr
    assert "1 / 0" in done.stderr
    assert "microblog/" not in done.stderr  # only what was typed
    assert done.stdout == ""
    assert bodies(settings) == []


@pytest.mark.parametrize(
    ("source", "status", "told"),
    [
        ("for", 1, "SyntaxError"),
        ("await queries.users.by_username(session, 'nobody')", 1, "NotFound\n"),
        ("raise SystemExit(3)", 3, ""),
        ("raise KeyboardInterrupt", 130, "Interrupted"),
        ("", 0, ""),
    ],
)
def test_status_says_how_it_ended(run: Run, source: str, status: int, told: str) -> None:
    done = run("shell", "-c", source)
    assert done.exit_code == status
    assert told in done.stderr


def test_forgotten_await_is_told(run: Run) -> None:
    told = run.works("shell", "-c", "session.scalar(select(User.id))")
    assert told == "Nothing was done: write “await” before it.\n"


def test_database_that_is_not_ready_is_one_sentence(run: Run, tmp_path: Path) -> None:
    empty = f"sqlite:///{tmp_path}/empty.db"
    told = run.fails("shell", "-c", "1", MICROBLOG_DATABASE_URL=empty)
    assert "microblog db upgrade" in told


@pytest.mark.usefixtures("mina")
def test_servers_are_told_before_the_statement_ends(settings: Settings) -> None:
    async def ring(database: Database) -> list[str]:
        rung: list[str] = []

        async def ringing() -> None:
            rung.append("rung")

        database.ring = ringing
        known = shell.at_hand(database)
        mina = await known["queries"].users.by_username(known["session"], "mina")
        async with known["write"]() as tx:
            await actions.posts.publish(tx, mina, actions.posts.Draft("Hello"), shell.now())
        return rung

    assert on(settings, ring) == ["rung"]


# --- Tables --------------------------------------------------------------------------------------


def test_table_that_is_too_wide_shows_one_field_a_line() -> None:
    rows = [{"name": "mina", "about": "x" * 30}]
    assert list(tables.drawn(rows, 20)) == [
        "-- 1 -----",
        "name   mina",
        f"about  {'x' * 30}",
    ]
    assert len(list(tables.drawn(rows, 40))) == 3


def test_secrets_are_masked_and_cells_are_one_short_line() -> None:
    (_, _, row) = tables.drawn([{"password_hash": "$2b$", "body": "a\nb\x1b[1m" + "c" * 99}], None)
    assert row.startswith("***")
    assert "a␤b␤[1mccc" in row
    assert row.endswith("c…")


def test_long_result_is_cut_and_says_so(run: Run) -> None:
    printed = run.works("shell", "-c", "await show(range(60))")
    assert len(printed.splitlines()) == 2 + shell.SHOWN + 1
    assert "limit=" in printed.splitlines()[-1]
    assert run.works("shell", "-c", "await show([])") == "There are none.\n"


# --- At a terminal -------------------------------------------------------------------------------


class Terminal:
    """Somebody who types at a terminal, and waits for what is answered."""

    def __init__(self, run: Run) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "microblog", "shell"],
            env={**clean_environment(), **run.env, "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - Ctrl+C comes from the terminal
        )
        os.close(theirs)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, wanted: str) -> str:
        """Read until something was said."""
        said = self._heard(wanted, 60)
        assert wanted in said, f"{wanted!r} does not come after {said!r}"
        return said

    def interrupt(self, wanted: str) -> None:
        """Press Ctrl+C until it is noticed: a terminal may lose one between two of its modes."""
        said, deadline = "", time.monotonic() + 60
        while wanted not in said and time.monotonic() < deadline:
            self.type("\x03")
            said += self._heard(wanted, 5)
        assert wanted in said, f"{wanted!r} does not come after {said!r}"

    def _heard(self, wanted: str, seconds: float) -> str:
        said, deadline = "", time.monotonic() + seconds
        while wanted not in said and (left := deadline - time.monotonic()) > 0:
            if readiness.select([self._ours], [], [], left)[0]:
                said += os.read(self._ours, 4096).decode(errors="replace")
        return said

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored by what runs in the background


@pytest.fixture
def terminal(run: Run) -> Iterator[Terminal]:
    opened = Terminal(run)
    yield opened
    opened.close()


@pytest.mark.usefixtures("mina")
def test_terminal_teaches_survives_and_remembers(terminal: Terminal, settings: Settings) -> None:
    banner = terminal.until(">>> ")
    assert "async with write() as tx" in banner
    terminal.type("1/0\n")
    assert "ZeroDivisionError" in terminal.until(">>> ")
    terminal.type("await session.scalar(select(User.username))\n")
    assert "'mina'" in terminal.until(">>> ")
    terminal.type("print('it ' 'sleeps'); await asyncio.sleep(600)\n")
    terminal.until("it sleeps")
    terminal.interrupt("Interrupted.\r\n>>> ")
    terminal.interrupt("KeyboardInterrupt\r\n>>> ")  # at the prompt
    terminal.type("\x04")
    assert terminal.process.wait(30) == 0
    history = settings.data_dir / "shell_history"
    assert "await session.scalar(select(User.username))" in history.read_text()
    assert history.stat().st_mode & 0o777 == 0o600
