"""Mail is sent from jobs: at least once, each time as the same letter, whatever dies when."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from quart import Quart
from sqlalchemy import update

from microblog.actions import mail
from microblog.core.tasks import SendMail, State
from microblog.database import Database, open_database
from microblog.jobs import runs
from microblog.jobs.work import Job as Run
from microblog.models import Job, table
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.faults.sites import form_token
from tests.jobs.conftest import jobs_of, until
from tests.mailboxes import MailServer, all_done, mail_server, mailed_by, path_in
from tests.people import MakeUser
from tests.services import AppServer, choose_free_port

VALUES = {"username": "mina", "nonce": "n", "hours": 24}


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon what failed."""
    monkeypatch.setattr(runs, "pause", lambda _: timedelta(seconds=0.25))


async def write(database: Database, settings: Settings, **how: Any) -> None:
    async with database.write() as tx:
        now = datetime.now(UTC)
        given = {"values": VALUES} | how
        mail.send(tx, settings, "mina@example.org", "confirm_address", now, **given)


async def state_of(database: Database, *states: State) -> Any:
    """Wait until the one mail is in one of these states, and return its row."""

    async def found() -> Any:
        (row,) = await jobs_of(database, SendMail.kind)
        return row if row.state in states else None

    return await until(found)


async def test_mail_that_is_not_taken_now_is_offered_again_as_the_same(
    app: Quart, sink: MailServer, database: Database, settings: Settings
) -> None:
    sink.answers["data"] = "451 try again"
    await write(database, settings)

    async def tried_twice() -> bool:
        (row,) = await jobs_of(database, SendMail.kind)
        return bool(row.attempt >= 2)

    await until(tried_twice)
    (before,) = await jobs_of(database, SendMail.kind)
    assert sink.mails == []
    sink.answers.clear()
    sent = await sink.next()
    assert sent["Message-ID"] == before.payload["message_id"]
    await all_done(database)
    assert len(sink.mails) == 1


async def test_mail_that_will_never_be_taken_is_a_dead_letter_at_once(
    app: Quart, sink: MailServer, database: Database, settings: Settings
) -> None:
    sink.answers["mina@example.org"] = "550 nobody of that name"
    await write(database, settings)
    row = await state_of(database, State.DEAD)
    assert row.attempt == 1
    assert row.error == "recipient refused: [550]"


async def test_mail_whose_worker_dies_after_sending_comes_twice_as_the_same(
    app: Quart,
    sink: MailServer,
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finish, failures = Run.finish, iter([True])

    async def fails_once(job: Run) -> None:
        if job.run.kind == SendMail.kind and next(failures, False):
            raise RuntimeError("killed before the end was noted")
        await finish(job)

    monkeypatch.setattr(Run, "finish", fails_once)
    await write(database, settings)
    await all_done(database)
    first, second = sink.mails
    for name in ("Message-ID", "Date", "Subject", "To", "From"):
        assert first[name] == second[name]
    assert path_in(first, "/auth/confirm_address/") == path_in(second, "/auth/confirm_address/")


async def test_mail_that_is_of_no_more_use_is_not_sent(
    app: Quart, sink: MailServer, database: Database, settings: Settings
) -> None:
    await write(database, settings, useless_after=datetime.now(UTC))
    await all_done(database)
    await write(database, settings, useless_after=datetime.now(UTC) + timedelta(hours=1))
    await sink.next()
    await all_done(database)
    assert len(sink.mails) == 1


async def test_language_that_is_not_offered_becomes_the_first(
    app: Quart, sink: MailServer, database: Database, settings: Settings
) -> None:
    await write(database, settings, language="de")
    assert (await sink.next())["Content-Language"] == "en"
    await write(database, replace(settings, languages=("ko",)), language="en")
    assert (await sink.next(1))["Content-Language"] == "ko"


# --- A server that is killed between the page and the mail ------------------------------------


@pytest.fixture
def killable(settings: Settings) -> Iterator[AppServer]:
    """A server whose mail server is away."""
    settings_of_mail = {
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(choose_free_port()),
        "MAIL_FROM": "blog@example.org",
        "MICROBLOG_PUBLIC_URL": "http://localhost",
        "MICROBLOG_BCRYPT_ROUNDS": "4",
    }
    env = settings_of_mail | {"DATABASE_URL": settings.database_url or ""}
    env |= {"MICROBLOG_DATA_DIR": str(settings.data_dir), "SECRET_KEY": settings.secret_key or ""}
    server = AppServer({name: value for name, value in env.items() if value})
    yield server
    server.close()


@both_databases
async def test_mail_that_a_killed_server_left_comes_with_its_message_id(
    killable: AppServer, settings: Settings, make_user: MakeUser
) -> None:
    await make_user()
    killable.start()
    async with httpx.AsyncClient(base_url=killable.url) as http:
        page = await http.get("/auth/reset_password_request")
        fields = {"csrf_token": form_token(page.text), "email": "mina@example.org"}
        answer = await http.post("/auth/reset_password_request", data=fields)
        assert answer.status_code == 303
    database = open_database(settings)
    try:
        (left,) = await until(lambda: jobs_of(database, SendMail.kind))
        killable.kill()
        async with database.write() as tx:  # so that nobody waits for the dead worker's lease
            waits = table(Job).c.due_at.is_not(None)
            await tx.execute(update(table(Job)).where(waits).values(due_at=datetime.now(UTC)))
        async with mail_server(port=int(killable.env["MAIL_PORT"])) as late:
            killable.start()
            sent = await late.next()
            assert sent["Message-ID"] == left.payload["message_id"]
            assert re.fullmatch(r"<[\w-]{43}@example\.org>", sent["Message-ID"])
            path = path_in(sent, "/auth/reset_password/")
            async with httpx.AsyncClient(base_url=killable.url) as http:
                assert (await http.get(path)).status_code == 200
            await all_done(database)
            assert len(late.mails) == 1
            assert await jobs_of(database, SendMail.kind) == []
    finally:
        await database.close()
