"""One's e-mail address is confirmed by a link that was mailed there."""

import asyncio
from dataclasses import replace

import pytest

from microblog.actions import addresses
from microblog.database import Database
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.mailboxes import MailServer, all_done, mailed_by, path_in, text_of
from tests.people import PASSWORD, MakeUser, Visit
from tests.web.confirming import ACCOUNT, LINK, address, change, confirm, sign_up
from tests.web.rows import changed, every_row

BANNER = "Please confirm your e-mail address"


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


@all_databases
async def test_sign_up_asks_for_the_address_until_it_is_confirmed(
    sink: MailServer, visit: Visit, database: Database
) -> None:
    browser = await visit()
    await sign_up(browser, headers={"Accept-Language": "ko"})
    mail = await sink.to("mina@example.org")
    assert mail["Content-Language"] == "ko"
    assert "@mina 님의 주소인지" in text_of(mail)
    assert "이메일 주소를 확인해 주세요" in await browser.text("/explore")
    path = path_in(mail, LINK)
    phone = await visit()
    page = await phone.text(path)
    assert "mina@example.org" in page
    assert await address(database) == ("mina@example.org", "mina@example.org", False)
    assert await confirm(phone, path) == 303
    assert "Your address is confirmed" in await phone.text("/")
    assert await address(database) == ("mina@example.org", "mina@example.org", True)
    assert "이메일 주소를 확인해 주세요" not in await browser.text("/explore")
    assert await confirm(phone, path) == 404


async def test_sign_up_by_the_api_is_asked_too(sink: MailServer, visit: Visit) -> None:
    account = {"username": "mina", "email": "mina@example.org", "password": PASSWORD}
    answer = await (await visit()).client.post("/api/users", json=account)
    assert answer.status_code == 201
    assert path_in(await sink.to("mina@example.org"), LINK)


async def test_banner_offers_another_link_and_the_last_one_counts(
    sink: MailServer, visit: Visit, database: Database
) -> None:
    browser = await visit()
    await sign_up(browser)
    first = path_in(await sink.next(), LINK)
    page = await browser.text("/")
    assert BANNER in page
    assert f'href="{ACCOUNT}"' in page
    answer = await browser.post(f"{ACCOUNT}/confirm", page=ACCOUNT)
    assert (answer.status_code, answer.headers["Location"]) == (303, ACCOUNT)
    assert "A mail to mina@example.org is on its way" in await browser.text(ACCOUNT)
    second = path_in(await sink.next(1), LINK)
    assert await confirm(browser, first) == 404
    assert await confirm(browser, second) == 303
    assert (await address(database))[2]
    assert "Confirmed" in await browser.text(ACCOUNT)


async def test_sixth_mail_in_an_hour_waits(sink: MailServer, visit: Visit) -> None:
    browser = await visit()
    await sign_up(browser)
    statuses = [
        (await browser.post(f"{ACCOUNT}/confirm", page=ACCOUNT)).status_code for _ in range(5)
    ]
    assert statuses == [303] * 4 + [429], "the first was that of the sign-up"
    statuses = [(await change(browser, f"{n}@example.org")).status_code for n in range(2)]
    assert statuses == [303, 429]
    await sink.next(5)


async def test_sign_ups_cannot_flood_an_address(
    sink: MailServer, visit: Visit, database: Database
) -> None:
    for number in range(7):
        account = {"username": f"person{number}", "email": "Mina@example.org"}
        fields = account | {"password": PASSWORD, "password2": PASSWORD}
        answer = await (await visit()).post("/auth/register", fields, page="/auth/register")
        assert answer.status_code == 303
    await all_done(database)
    assert len(sink.mails) == 5


async def test_looking_at_a_link_confirms_nothing(
    sink: MailServer, visit: Visit, database: Database
) -> None:
    await sign_up(await visit())
    path = path_in(await sink.next(), LINK)
    await all_done(database)
    before = await every_row(database)
    scanner = await visit()
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = await scanner.client.open(path, method=method)  # type: ignore[attr-defined]
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert set(changed(before, await every_row(database))) <= {"job"}


async def test_address_is_proved_by_one_account_only(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    async with database.write() as tx:
        for user in (mina, bora):
            await addresses.change_unproved(tx, user, "shared@example.org")
    paths = []
    for number, user in enumerate((mina, bora)):
        await (await visit(user)).post(f"{ACCOUNT}/confirm", page=ACCOUNT)
        paths.append(path_in(await sink.next(number), LINK))
    browsers = [await visit() for _ in paths]
    statuses = await asyncio.gather(*map(confirm, browsers, paths))
    assert statuses == [303, 303]
    proved = [(await address(database, name))[2] for name in ("mina", "bora")]
    assert sorted(proved) == [False, True]
    browser = await visit()
    await confirm(browser, paths[proved.index(False)])
    assert "belongs to another account" in await browser.text("/explore")


class TestNotAskedFor:
    """Where the owner wants no confirmation."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, confirm_addresses=False)

    async def test_nobody_is_asked(
        self, sink: MailServer, visit: Visit, database: Database
    ) -> None:
        browser = await visit()
        await sign_up(browser)
        assert BANNER not in await browser.text("/")
        await all_done(database)
        assert sink.mails == []

    async def test_new_address_is_to_be_confirmed_all_the_same(
        self, sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
    ) -> None:
        browser = await visit(await make_user())
        await change(browser, "new@example.org")
        assert (await address(database))[0] == "mina@example.org"
        assert path_in(await sink.to("new@example.org"), LINK)
