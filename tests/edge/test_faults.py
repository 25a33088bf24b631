"""Faults are mailed to ADMINS: one of a kind an hour, nobody's words, never in a circle."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import select, update
from structlog.testing import capture_logs

from microblog import create_app
from microblog.actions import faults, mail
from microblog.core.errors import SettingError
from microblog.core.faults import describe
from microblog.core.tasks import SendMail, SendResets
from microblog.database import Database
from microblog.jobs import HANDLERS
from microblog.models import Job, Try
from microblog.runtime import EXTENSION, Runtime
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.mailboxes import MailServer, all_done, mailed_by, text_of
from tests.people import Visit

SECRET = "secret-word-of-mina"
ADMINS = ("owner@example.org", "other@example.org")


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return replace(mailed_by(settings, sink), admins=ADMINS, log_level="error")


def broken(**_: Any) -> None:
    password = SECRET
    try:
        int(password)
    except ValueError as error:
        raise KeyError(password) from error


def break_pages(app: Quart) -> None:
    async def page(**given: Any) -> None:
        broken(**given)

    app.view_functions |= {"timelines.explore": page, "resets.choose_password": page}


async def reported(app: Quart, database: Database) -> None:
    await asyncio.gather(*app.extensions[EXTENSION].reports)
    await all_done(database)


@both_databases
async def test_fault_is_mailed_to_each_administrator_once_in_an_hour(
    app: Quart, sink: MailServer, visit: Visit, database: Database, settings: Settings
) -> None:
    break_pages(app)
    neighbour = create_app(settings)
    async with neighbour.test_app():
        break_pages(neighbour)
        clients = [(await visit()).client, neighbour.test_client()] * 5
        answers = await asyncio.gather(*(client.get("/explore") for client in clients))
        assert {answer.status_code for answer in answers} == {500}
        await reported(app, database)
        await reported(neighbour, database)
    assert sorted(mail["To"] for mail in sink.mails) == sorted(ADMINS)
    text = text_of(sink.mails[0])
    assert "KeyError" in text
    assert "GET /explore" in text
    assert "test_faults.py:" in text
    assert "in broken" in text
    assert "ValueError" in text
    numbers = {answer.headers["X-Request-ID"] for answer in answers}
    assert any(number in text for number in numbers)
    async with database.write() as tx:
        await tx.execute(update(Try).values(created_at=datetime.now(UTC) - timedelta(minutes=61)))
    await (await visit()).get("/explore")
    await reported(app, database)
    assert len(sink.mails) == 4


async def test_nobodys_words_are_in_it(
    app: Quart, sink: MailServer, visit: Visit, database: Database
) -> None:
    break_pages(app)
    browser = await visit()
    token = f"{SECRET}-token"
    headers = {"Cookie": f"x={SECRET}", "Authorization": f"Bearer {SECRET}", "Referer": SECRET}
    await browser.get(f"/auth/reset_password/{token}?q={SECRET}", headers=headers)
    await reported(app, database)
    for message in sink.mails:
        assert SECRET not in message.as_string() + text_of(message) + text_of(message, "html")
        assert "GET /auth/reset_password/<token>" in text_of(message)
        assert "/tmp" not in text_of(message)
        assert "/home" not in text_of(message)
    assert len(sink.mails) == 2


async def test_work_behind_the_pages_is_reported_too(
    app: Quart, sink: MailServer, database: Database
) -> None:
    runtime: Runtime = app.extensions[EXTENSION]
    came = asyncio.Event()

    async def work() -> None:
        came.set()
        broken()

    task = asyncio.create_task(runtime._every(3600, work))
    await came.wait()
    mail_ = await sink.next()
    task.cancel()
    assert "KeyError" in text_of(mail_)
    assert "\nwork\n" in text_of(mail_)
    await all_done(database)


async def test_job_that_crashes_is_reported(
    app: Quart, sink: MailServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(monkeypatch, SendResets.kind)
    async with database.write() as tx:
        mail.ask_for_resets(tx, "mina@example.org", "en")
    assert "\njob send_resets\n" in text_of(await sink.next(1))
    await reported(app, database)
    assert len(sink.mails) == 2


async def test_mail_that_crashes_is_told_by_no_mail(
    app: Quart, sink: MailServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(monkeypatch, SendMail.kind)
    break_pages(app)
    assert (await app.test_client().get("/explore")).status_code == 500
    await reported(app, database)
    await reported(app, database)
    assert sink.mails == []
    async with database.read() as read:
        jobs = list(await read.scalars(select(Job.kind).where(Job.kind.startswith("send"))))
    assert jobs == [SendMail.kind] * 2, "the two dead letters alone"


def crash(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let the jobs of a kind crash, once each."""

    async def crashes(*_: Any) -> None:
        broken()

    monkeypatch.setitem(HANDLERS, kind, HANDLERS[kind]._replace(work=crashes, attempts=1))


async def test_fault_of_the_report_itself_is_only_logged(
    app: Quart,
    sink: MailServer,
    visit: Visit,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    async def fails(*given: Any) -> None:
        calls.append(given)
        raise RuntimeError("the report is broken")

    monkeypatch.setattr(faults, "report", fails)
    break_pages(app)
    with capture_logs() as logs:
        assert (await (await visit()).get("/explore")).status_code == 500
        await reported(app, database)
    assert [line["event"] for line in logs].count("report.failed") == 1
    assert len(calls) == 1
    assert sink.mails == []


async def test_mail_about_a_fault_that_fails_is_no_fault(
    app: Quart, sink: MailServer, visit: Visit, database: Database
) -> None:
    sink.answers |= dict.fromkeys(ADMINS, "550 nobody")
    break_pages(app)
    await (await visit()).get("/explore")
    await reported(app, database)
    assert sink.mails == []


async def test_refusals_are_no_faults(
    app: Quart, sink: MailServer, visit: Visit, database: Database
) -> None:
    browser = await visit()
    for path in ("/nowhere", "/user/nobody", "/?before=x"):
        assert (await browser.get(path)).status_code < 500
    await reported(app, database)
    assert sink.mails == []


async def test_without_administrators_nothing_is_written(
    settings: Settings, database: Database
) -> None:
    written: list[Any] = []
    async with database.write() as tx:
        tx.enqueue = lambda task, **_: written.append(task)  # type: ignore[method-assign]
        fault = describe(ValueError(SECRET))
        now = datetime.now(UTC)
        await faults.report(tx, replace(settings, admins=()), fault, "GET /", "", now)
        mail.send(tx, replace(settings, mail_server=None), "a@example.org", "fault", now)
    assert written == []


def test_description_names_the_innermost_place_of_ours() -> None:
    try:
        Settings(mailer=SECRET)
    except SettingError as error:
        fault = describe(error)
    assert fault.kind == "microblog.core.errors.SettingError"
    assert fault.place.startswith("microblog/settings.py:")
    assert SECRET not in repr(fault)
    assert describe(ValueError()).place == "outside of the program"
