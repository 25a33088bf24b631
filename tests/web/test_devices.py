"""A log-in from where nobody of a person was before is mailed to them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from microblog.actions import addresses, retention
from microblog.database import Database
from microblog.models import KnownDevice, User
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.mailboxes import MailServer, all_done, mailed_by, text_of
from tests.people import PASSWORD, Browser, MakeUser, Visit
from tests.web.browsing import log_in, peer

FIREFOX = {"User-Agent": "Firefox/140"}
CHROME = {"User-Agent": "Mozilla/5.0 (X11; Linux)\t<b> Chrome/150"}


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


@pytest.fixture
async def mina(make_user: MakeUser, database: Database) -> User:
    """Mina, whose address is proved."""
    user = await make_user()
    async with database.write() as tx:
        await addresses.prove(tx, user, datetime.now(UTC))
    return user


async def enter(browser: Browser, address: str, agent: dict[str, str] = FIREFOX) -> None:
    """Log in from an address, and out again."""
    answer = await log_in(browser, headers=agent, **peer(address))
    assert answer.status_code == 303
    await browser.post("/auth/logout")


async def mails(sink: MailServer, database: Database) -> int:
    await all_done(database)
    return len(sink.mails)


@all_databases
async def test_new_device_is_mailed_once_and_known_afterwards(
    sink: MailServer, visit: Visit, mina: User, database: Database
) -> None:
    laptop, phone = await visit(), await visit()
    await enter(laptop, "203.0.113.7")
    assert await mails(sink, database) == 0, "the first of all is no news"
    await enter(phone, "198.51.100.7", CHROME)
    mail = await sink.next()
    text = text_of(mail)
    assert mail["To"] == "mina@example.org"
    assert mail["Subject"] == "A new log-in to Microblog"
    assert "Device: Chrome on Linux\n" in text, "as the page of sessions names it"
    assert "Network: 198.51.100.0/24\n" in text
    assert "198.51.100.7" not in text
    assert "http://localhost/auth/reset_password_request" in text
    await enter(phone, "198.51.100.7", CHROME)
    assert await mails(sink, database) == 1


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("the same browser elsewhere", 0),
        ("a cleaned browser in the same street", 0),
        ("a cleaned browser elsewhere", 1),
        ("another browser in the same street", 1),
    ],
)
async def test_device_is_known_by_its_cookie_or_by_its_name_and_surroundings(
    sink: MailServer, visit: Visit, mina: User, database: Database, how: str, expected: int
) -> None:
    browser = await visit()
    await enter(browser, "203.0.113.7")
    match how:
        case "the same browser elsewhere":
            await enter(browser, "2001:db8::1", CHROME)
        case "a cleaned browser in the same street":
            await enter(await visit(), "203.0.113.99")
        case "a cleaned browser elsewhere":
            await enter(await visit(), "203.0.114.7")
        case _:
            await enter(await visit(), "203.0.113.7", CHROME)
    assert await mails(sink, database) == expected


async def test_sign_up_makes_the_device_known(
    sink: MailServer, visit: Visit, database: Database
) -> None:
    browser = await visit()
    account = {"username": "mina", "email": "mina@example.org"}
    fields = account | {"password": PASSWORD, "password2": PASSWORD}
    await browser.post("/auth/register", fields, page="/auth/register", headers=FIREFOX)
    await browser.post("/auth/logout")
    async with database.write() as tx:
        await tx.execute(update(User).values(email_confirmed_at=datetime.now(UTC)))
    before = await mails(sink, database)
    await enter(browser, "203.0.113.7")
    assert await mails(sink, database) == before
    await enter(await visit(), "203.0.113.7", CHROME)
    assert await mails(sink, database) == before + 1


async def test_program_that_takes_tokens_is_a_device(
    sink: MailServer, visit: Visit, mina: User, database: Database
) -> None:
    await enter(await visit(), "203.0.113.7")
    client: Any = (await visit()).client
    for agent, expected in (("curl/8", 1), ("curl/8", 1), ("robot/1", 2)):
        answer = await client.post(
            "/api/tokens",
            auth=("mina", PASSWORD),
            headers={"User-Agent": agent},
            **peer("198.51.100.7"),
        )
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert await mails(sink, database) == expected


async def test_address_that_was_never_confirmed_is_told_nothing(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    await enter(await visit(), "203.0.113.7")
    await enter(await visit(), "198.51.100.7", CHROME)
    assert await mails(sink, database) == 0


async def test_device_is_remembered_as_something_that_tells_nothing(
    visit: Visit, mina: User, database: Database
) -> None:
    browser = await visit()
    await enter(browser, "203.0.113.7")
    (cookie,) = [c for c in browser.client.cookie_jar if c.name == "device"]  # type: ignore[attr-defined]
    async with database.read() as read:
        marks = list(await read.scalars(select(KnownDevice.mark)))
    assert len(marks) == 2
    assert all(len(mark) == 32 for mark in marks)
    assert cookie.value.encode() not in b"".join(marks)


async def test_device_that_was_not_seen_for_long_is_forgotten(
    settings: Settings, visit: Visit, mina: User, database: Database
) -> None:
    await enter(await visit(), "203.0.113.7")
    for days, left in ((399, 2), (401, 0)):
        async with database.write() as tx:
            later = datetime.now(UTC) + timedelta(days=days)
            await retention.prune(tx, later, keep_days=7, keep_events=1000)
            count = select(func.count()).select_from(KnownDevice)
            assert await tx.scalar(count) == left


class TestNotAskedFor:
    """Where the owner wants no confirmation, addresses are believed."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, confirm_addresses=False)

    async def test_everybody_is_told(
        self, sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
    ) -> None:
        await make_user(language="ko")
        await enter(await visit(), "203.0.113.7")
        await enter(await visit(), "198.51.100.7", CHROME)
        assert await mails(sink, database) == 1
        assert sink.mails[0]["Subject"] == "Microblog에 새로 로그인했습니다"
