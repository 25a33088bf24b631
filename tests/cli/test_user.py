"""`microblog user`: the owner makes people and changes their passwords and roles."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from microblog.actions import sessions, tokens
from microblog.core import passwords
from microblog.core.cursors import Window
from microblog.core.errors import NotFound
from microblog.database import Database, Read
from microblog.models import User
from microblog.queries import access, audit, users
from microblog.settings import Settings
from tests.cli.conftest import Run, variables
from tests.cli.databases import on
from tests.conftest import all_databases, both_databases
from tests.people import MakeUser
from tests.services import clean_environment

GOOD = "a long enough sentence"


def person(settings: Settings, name: str) -> User:
    async def find(database: Database) -> User:
        async with database.read() as read:
            return await users.by_username(read, name)

    return on(settings, find)


def make(settings: Settings, name: str, **how: str) -> User:
    async def make_one(database: Database) -> User:
        return await MakeUser(database)(name, **how)

    return on(settings, make_one)


@all_databases
def test_created_person_can_log_in_with_the_password(run: Run, settings: Settings) -> None:
    printed = run.works(
        "user", "create", "Mina", "--email", "mina@Example.org", "--password-stdin", typed=GOOD
    )
    assert printed == "Mina can log in now.\n"
    made = person(settings, "mina")
    assert (made.username, made.email, made.role) == ("Mina", "mina@example.org", "member")
    assert passwords.verify(GOOD, made.password_hash)


def test_line_end_is_no_part_of_the_password_but_spaces_are(run: Run, settings: Settings) -> None:
    words = ("user", "create", "mina", "--email", "mina@example.org", "--password-stdin")
    run.works(*words, typed=f" {GOOD} \r\nsecond line\n")
    assert passwords.verify(f" {GOOD} ", person(settings, "mina").password_hash)


def test_created_administrator_is_one(run: Run, settings: Settings) -> None:
    words = ("user", "create", "mina", "--email", "mina@example.org", "--password-stdin")
    assert "administrator" in run.works(*words, "--admin", typed=GOOD)
    assert person(settings, "mina").is_admin


@pytest.mark.parametrize(
    ("name", "email", "password", "told"),
    [
        ("mi na", "mina@example.org", GOOD, "Use letters, digits and _ only."),
        ("admin", "mina@example.org", GOOD, "This name is reserved."),
        ("mina", "mina", GOOD, "This is not an e-mail address."),
        ("mina", "mina@example.org", "short", "Use 8 characters or more."),
        ("mina", "mina@example.org", "", "Use 8 characters or more."),
        ("mina", "mina@example.org", "password123", "This password is too common."),
        ("minaminamina", "a@example.org", "minaMINAmina", "other than your name"),
        ("mina", "mina@example.org", b"\xff\xfe" * 8, "UTF-8"),
        ("TAKEN", "mina@example.org", GOOD, "This username is taken"),
        ("mina", "taken@example.ORG", GOOD, "with this e-mail address already"),
    ],
)
def test_account_against_the_rules_is_refused_and_not_made(
    run: Run, settings: Settings, name: str, email: str, password: str | bytes, told: str
) -> None:
    make(settings, "taken")
    words = ("user", "create", name, "--email", email, "--password-stdin")
    assert told in run.fails(*words, typed=password)
    if name != "TAKEN":
        with pytest.raises(NotFound):
            person(settings, name)


def test_nobody_can_be_asked_where_there_is_no_terminal(run: Run) -> None:
    told = run.fails("user", "create", "mina", "--email", "mina@example.org", typed=GOOD)
    assert "--password-stdin" in told


@both_databases
def test_new_password_ends_sessions_and_tokens(run: Run, settings: Settings) -> None:
    mina = make(settings, "mina")
    now = datetime.now(UTC)
    life = timedelta(days=1)

    async def log_in(database: Database) -> tuple[str, int]:
        async with database.write() as tx:
            token = await sessions.open_session(
                tx, mina.id, now, life=life, remembered=False, device=""
            )
            grant = await tokens.issue(tx, mina.id, now, life=life, device="")
        return token, grant.family_id

    token, family_id = on(settings, log_in)

    async def is_known(database: Database) -> tuple[bool, bool]:
        async with database.read() as read:
            return await is_in(read, token), bool(await access.family(read, family_id, mina.id))

    async def is_in(read: Read, token: str) -> bool:
        return await access.session(read, token, now) is not None

    assert on(settings, is_known) == (True, True)
    run.works("user", "password", "mina@example.org", "--password-stdin", typed="another sentence")
    assert on(settings, is_known) == (False, False)
    assert passwords.verify("another sentence", person(settings, "mina").password_hash)


def test_password_against_the_rules_changes_nothing(run: Run, settings: Settings) -> None:
    before = make(settings, "mina").password_hash
    assert "common" in run.fails(
        "user", "password", "mina", "--password-stdin", typed="password123"
    )
    assert person(settings, "mina").password_hash == before


@both_databases
def test_role_is_given_and_taken(run: Run, settings: Settings) -> None:
    make(settings, "mina")
    make(settings, "owner_one", role="admin")
    assert run.works("user", "role", "MINA", "admin") == "mina is an administrator now.\n"
    assert person(settings, "mina").role == "admin"
    assert run.works("user", "role", "mina", "member") == "mina is a member now.\n"
    assert person(settings, "mina").role == "member"


def test_owner_is_told_when_the_last_administrator_goes(run: Run, settings: Settings) -> None:
    make(settings, "mina", role="admin")
    assert "no administrator left" in run.works("user", "role", "mina", "member")


@pytest.mark.parametrize("words", [("password", "nobody_here"), ("role", "nobody_here", "admin")])
def test_unknown_person_is_told_before_a_password_is_asked_for(
    run: Run, words: tuple[str, ...]
) -> None:
    assert "'nobody_here'" in run.fails("user", *words)


@both_databases
def test_person_is_suspended_and_restored_with_a_reason(run: Run, settings: Settings) -> None:
    make(settings, "mina")
    told = run.works("user", "suspend", "Mina", "--reason", "Forty links to one shop")
    assert told.startswith("mina is suspended")
    with pytest.raises(NotFound):
        person(settings, "mina")
    assert "already" in run.fails("user", "suspend", "mina", "--reason", "Again")
    assert "restored" in run.works("user", "restore", "mina@example.org", "--reason", "A mistake")
    assert person(settings, "mina").left_because is None
    assert "not suspended" in run.fails("user", "restore", "mina", "--reason", "Again")

    async def deeds(database: Database) -> list[tuple[str, str, str | None]]:
        async with database.read() as read:
            page = await audit.deeds(read, Window(10))
        return [(deed.kind, deed.reason, deed.actor) for deed in page.items]

    assert on(settings, deeds) == [
        ("restore", "A mistake", None),
        ("suspend", "Forty links to one shop", None),
    ]


def test_nobody_is_suspended_without_a_reason_nor_the_last_administrator(
    run: Run, settings: Settings
) -> None:
    make(settings, "mina", role="admin")
    assert run("user", "suspend", "mina").exit_code == 2
    assert "Say why" in run.fails("user", "suspend", "mina", "--reason", " ")
    assert "no other administrator" in run.fails("user", "suspend", "mina", "--reason", "Spam")
    assert "'nobody_here'" in run.fails("user", "restore", "nobody_here", "--reason", "Spam")


def test_unknown_role_is_refused(run: Run) -> None:
    assert run("user", "role", "mina", "emperor").exit_code == 2


def test_database_without_tables_is_told_with_what_to_run(run: Run, tmp_path: Path) -> None:
    told = run.fails("user", "role", "mina", "admin", MICROBLOG_DATA_DIR=str(tmp_path / "new"))
    assert "microblog db upgrade" in told


def test_database_out_of_reach_is_one_sentence(run: Run, free_port: int) -> None:
    url = f"postgresql://mina:geheim@127.0.0.1:{free_port}/blog"
    told = run.fails("user", "role", "mina", "admin", MICROBLOG_DATABASE_URL=url)
    assert "out of reach" in told
    assert "geheim" not in told


def at_a_terminal(settings: Settings, *answers: str) -> tuple[int, str]:
    """Run `user create` at a terminal and answer its questions; return its status and output."""
    ours, theirs = pty.openpty()
    words = ("user", "create", "mina", "--email", "mina@example.org")
    with subprocess.Popen(
        [sys.executable, "-m", "microblog", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=settings.data_dir,
        env={**clean_environment(), **variables(settings)},
        start_new_session=True,
    ) as running:
        os.close(theirs)
        printed, waiting = b"", list(answers)
        while True:
            try:
                read = os.read(ours, 1024)
            except OSError:  # the other side is closed
                break
            printed += read
            if waiting and printed.endswith(b": "):
                os.write(ours, waiting.pop(0).encode() + b"\n")
        os.close(ours)
        return running.wait(), printed.decode()


def test_password_is_asked_for_twice_and_not_shown(settings: Settings) -> None:
    status, printed = at_a_terminal(settings, GOOD, GOOD)
    assert status == 0, printed
    assert "Password:" in printed
    assert "Again:" in printed
    assert GOOD not in printed
    assert passwords.verify(GOOD, person(settings, "mina").password_hash)


def test_two_different_answers_are_asked_for_again(settings: Settings) -> None:
    status, printed = at_a_terminal(settings, GOOD, "something else", "third one!", "third one!")
    assert status == 0, printed
    assert "do not match" in printed
    assert passwords.verify("third one!", person(settings, "mina").password_hash)
