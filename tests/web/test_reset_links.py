"""S13: what a link for a new password is good for. S15: nobody learns who has an account."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from microblog.actions import accounts
from microblog.core.tasks import SendResets, Task
from microblog.database import Database, Tx
from microblog.models import MailedLink, User
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.live.clients import listening
from tests.mailboxes import MailServer, all_done, mailed_by, path_in
from tests.people import PASSWORD, Browser, MakeUser, Visit, access_token, hashed, session_cookie
from tests.serving import Serving
from tests.web.browsing import Work
from tests.web.resetting import ASK, LINK, NEW, ask, choose, mailed_link, opens
from tests.web.rows import changed, every_row


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


# --- S13 -----------------------------------------------------------------------------------------


@pytest.mark.S13
@all_databases
async def test_link_is_good_once(sink: MailServer, visit: Visit, make_user: MakeUser) -> None:
    await make_user()
    path, browser = await mailed_link(sink, visit), await visit()
    assert await choose(browser, path) == 303
    assert await choose(browser, path, "a third sentence") == 404
    assert (await browser.get(path)).status_code == 404
    assert await opens(visit, NEW)


@pytest.mark.S13
@both_databases
async def test_link_is_good_for_ten_minutes(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    path, browser = await mailed_link(sink, visit), await visit()
    async with database.read() as read:
        made, over = (
            await read.execute(select(MailedLink.created_at, MailedLink.expires_at))
        ).one()
    assert over - made == timedelta(minutes=10)
    async with database.write() as tx:
        await tx.execute(update(MailedLink).values(expires_at=datetime.now(UTC)))
    assert (await browser.get(path)).status_code == 404
    assert await choose(browser, path) == 404
    assert await opens(visit, PASSWORD)


@pytest.mark.S13
@both_databases
async def test_link_is_good_for_nothing_after_a_change_of_the_password(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    first, second = await mailed_link(sink, visit), await mailed_link(sink, visit)
    assert first != second
    async with database.write() as tx:
        await accounts.set_password(tx, mina, hashed("set by the owner"), datetime.now(UTC))
    for path in (first, second):
        assert await choose(await visit(), path) == 404
    third, fourth = await mailed_link(sink, visit), await mailed_link(sink, visit)
    assert await choose(await visit(), fourth) == 303
    assert await choose(await visit(), third, "a third sentence") == 404
    assert await opens(visit, NEW)


@pytest.mark.S13
@all_databases
async def test_of_ten_at_once_one_succeeds(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    path = await mailed_link(sink, visit)
    browsers = [await visit() for _ in range(10)]
    passwords = [f"{NEW} number {number}" for number in range(10)]
    tokens = [await browser.token("/auth/login") for browser in browsers]
    statuses = await asyncio.gather(
        *(
            _send(browser, path, token, password)
            for browser, token, password in zip(browsers, tokens, passwords, strict=True)
        )
    )
    assert sorted(statuses) == [303] + [404] * 9
    assert await opens(visit, passwords[statuses.index(303)])


async def _send(browser: Browser, path: str, token: str, password: str) -> int:
    fields = {"csrf_token": token, "password": password, "password2": password}
    return int((await browser.client.post(path, form=fields)).status_code)


@pytest.mark.S13
async def test_host_that_was_asked_is_in_no_mail(
    sink: MailServer, server: Serving, make_user: MakeUser
) -> None:
    await make_user()
    poison = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
        "X-Forwarded-Proto": "gopher",
    }
    async with httpx.AsyncClient(base_url=server.url) as http:
        page = await http.get(ASK, headers=poison)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token
        fields = {"csrf_token": token[1], "email": "mina@example.org"}
        assert (await http.post(ASK, data=fields, headers=poison)).status_code == 303
        body = {"email": "mina@example.org"}
        answer = await http.post("/api/tokens/reset", json=body, headers=poison)
        assert answer.status_code == 204
    for mail in (await sink.next(), await sink.next(1)):
        assert "evil" not in mail.as_string()
        assert path_in(mail, LINK)


@pytest.mark.S13
async def test_looking_at_a_link_spends_nothing(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    path, scanner = await mailed_link(sink, visit), await visit()
    await all_done(database)
    before = await every_row(database)
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        answer = await scanner.client.open(path, method=method)  # type: ignore[attr-defined]
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    assert set(changed(before, await every_row(database))) <= {"job"}  # workers have others
    assert await choose(await visit(), path) == 303


@pytest.mark.S13
async def test_new_password_closes_every_live_connection_with_4001(
    sink: MailServer, server: Serving, make_user: MakeUser, database: Database, settings: Settings
) -> None:
    mina = await make_user()
    cookie = await session_cookie(database, server.app, mina)
    token = await access_token(database, settings, mina)
    async with httpx.AsyncClient(base_url=f"{server.url}/api") as http:
        await http.post("/tokens/reset", json={"email": "mina@example.org"})
        link = path_in(await sink.next(), LINK).removeprefix(LINK)
        async with (
            listening(server.live_url, cookie=cookie) as page,
            listening(server.live_url, token=token) as program,
        ):
            body = {"token": link, "new_password": NEW}
            assert (await http.put("/tokens/reset", json=body)).status_code == 204
            assert await page.close_code() == 4001
            assert await program.close_code() == 4001
        assert (await http.put("/tokens/reset", json=body)).status_code == 400


# --- S15: nobody learns who has an account -------------------------------------------------------


@pytest.mark.S15
@both_databases
async def test_answer_and_work_are_the_same_for_every_address(
    sink: MailServer,
    visit: Visit,
    make_user: MakeUser,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await make_user()
    work, seen, left, enqueue = Work(monkeypatch), {}, list[str](), Tx.enqueue

    def noted(tx: Tx, task: Task, **how: Any) -> None:
        left.append(task.kind)
        enqueue(tx, task, **how)

    monkeypatch.setattr(Tx, "enqueue", noted)
    for email in ("mina@example.org", "nobody@example.org", "MINA@example.org"):
        browser, before = await visit(), await every_row(database)
        began = time.perf_counter()
        answer = await ask(browser, email)
        print(f"{email}: {(time.perf_counter() - began) * 1000:.1f} ms")
        after = await every_row(database)
        jobs = [name for name in left if name == SendResets.kind]
        left.clear()
        tries = len(after["try"]) - len(before["try"])
        page = await browser.text("/auth/login")
        page = re.sub(r'value="[^"]{40,}"', "", page)
        seen[email] = (answer.status_code, answer.headers["Location"], jobs, tries, page)
        await all_done(database)
    first, *others = seen.values()
    for other in others:
        assert other == first
    assert first[2:4] == ([SendResets.kind], 2)
    assert work.done == (0, 0)
    await all_done(database)
    assert [mail["To"] for mail in sink.mails] == ["mina@example.org"] * 2


@pytest.mark.S15
async def test_deactivated_person_is_mailed_nothing(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    async with database.write() as tx:
        await tx.execute(update(User).values(deactivated_at=datetime.now(UTC)))
    assert (await ask(await visit())).status_code == 303
    await all_done(database)
    assert sink.mails == []
