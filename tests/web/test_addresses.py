"""One's e-mail address: confirmed by a link, changed with the password, and the old one told."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from microblog.actions import addresses
from microblog.database import Database
from microblog.models import User
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.mailboxes import MailServer, all_done, mailed_by, path_in, text_of
from tests.people import PASSWORD, Browser, MakeUser, Visit
from tests.web.browsing import log_in
from tests.web.rows import changed, every_row

ACCOUNT = "/settings/account"
LINK = "/auth/confirm_address/"
BANNER = "Please confirm your e-mail address"


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


async def sign_up(browser: Browser, username: str = "mina", **how: Any) -> None:
    account = {"username": username, "email": f"{username}@example.org"}
    fields = account | {"password": PASSWORD, "password2": PASSWORD}
    answer = await browser.post("/auth/register", fields, page="/auth/register", **how)
    assert answer.status_code == 303


async def change(browser: Browser, email: str, password: str = PASSWORD) -> Any:
    return await browser.post(ACCOUNT, {"email": email, "password": password}, page=ACCOUNT)


async def confirm(browser: Browser, path: str) -> int:
    return int((await browser.post(path)).status_code)


async def address(database: Database, username: str = "mina") -> tuple[str, str, bool]:
    """Return a person's address, its folded form, and whether it is proved."""
    async with database.read() as read:
        user = await read.scalar(select(User).where(User.username_key == username))
    return user.email, user.email_key, user.email_confirmed_at is not None


# --- Confirming ----------------------------------------------------------------------------------


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
        (await browser.post(f"{ACCOUNT}/confirm", page=ACCOUNT)).status_code for _ in range(6)
    ]
    assert statuses == [303] * 5 + [429]
    assert (await change(browser, "other@example.org")).status_code == 429
    await sink.next(5)


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


# --- Changing ------------------------------------------------------------------------------------


@all_databases
async def test_new_address_holds_once_it_is_confirmed_and_the_old_one_is_told(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user(language="ko"))
    answer = await change(browser, "New@Example.org")
    assert (answer.status_code, answer.headers["Location"]) == (303, ACCOUNT)
    path = path_in(await sink.to("New@example.org"), LINK)
    assert await address(database) == ("mina@example.org", "mina@example.org", False)
    assert await confirm(browser, path) == 303
    assert await address(database) == ("New@example.org", "new@example.org", True)
    told = await sink.to("mina@example.org")
    assert told["Subject"] == "Microblog 이메일 주소가 바뀌었습니다"
    assert "New@" not in text_of(told)
    assert (await log_in(await visit(), "new@example.org")).status_code == 303
    assert (await log_in(await visit(), "mina@example.org")).status_code == 401


async def test_link_for_the_old_address_dies_with_it(
    sink: MailServer, visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    form = "/auth/reset_password_request"
    await browser.post(form, {"email": "mina@example.org"}, page=form)
    reset = path_in(await sink.next(), "/auth/reset_password/")
    await change(browser, "new@example.org")
    assert await confirm(browser, path_in(await sink.to("new@example.org"), LINK)) == 303
    assert (await browser.get(reset)).status_code == 404


async def test_reset_undoes_a_change_that_is_not_confirmed_yet(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    thief = await visit(await make_user())
    await change(thief, "thief@example.org")
    stolen = path_in(await sink.next(), LINK)
    form, owner = "/auth/reset_password_request", await visit()
    await owner.post(form, {"email": "mina@example.org"}, page=form)
    reset = path_in(await sink.next(1), "/auth/reset_password/")
    fields = {"password": "quite another sentence", "password2": "quite another sentence"}
    assert (await owner.post(reset, fields, page=reset)).status_code == 303
    assert await confirm(thief, stolen) == 404
    assert await address(database) == ("mina@example.org", "mina@example.org", True)


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("new@example.org", "not the password", "password"),
        ("new@example.org", "", "password"),
        ("no address", PASSWORD, "email"),
        ("a@example.org\nBcc: b@example.org", PASSWORD, "email"),
    ],
)
async def test_refused_change_keeps_what_was_typed_and_mails_nobody(
    sink: MailServer,
    visit: Visit,
    make_user: MakeUser,
    database: Database,
    email: str,
    password: str,
    field: str,
) -> None:
    answer = await change(await visit(await make_user()), email, password)
    assert answer.status_code == 400
    page = await answer.get_data(as_text=True)
    assert f'id="{field}-error"' in page
    assert f'value="{email}"' in page
    await all_done(database)
    assert sink.mails == []


async def test_tries_of_the_password_are_counted_with_those_at_the_log_in(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    statuses = [(await change(browser, "new@example.org", "wrong")).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    assert (await log_in(await visit())).status_code == 429


async def test_stale_page_keeps_what_was_typed(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user())
    fields = {"csrf_token": "stale", "email": "new@example.org", "password": PASSWORD}
    answer = await browser.client.post(ACCOUNT, form=fields)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert 'value="new@example.org"' in page
    assert PASSWORD not in page


async def test_page_is_for_members(visit: Visit) -> None:
    browser = await visit()
    answer = await browser.get(ACCOUNT)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/auth/login?next={ACCOUNT}")
    for path in (ACCOUNT, f"{ACCOUNT}/confirm"):
        assert (await browser.post(path)).headers["Location"] == "/auth/login"


class TestWithoutMail:
    """Where no mail is sent nothing can be confirmed, and nobody is asked to."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, mail_server=None)

    async def test_address_changes_at_once_with_the_password(
        self, visit: Visit, make_user: MakeUser, database: Database
    ) -> None:
        mina = await make_user()
        async with database.write() as tx:
            await addresses.prove(tx, mina, datetime.now(UTC))
        browser = await visit(mina)
        page = await browser.text(ACCOUNT)
        assert "onfirm" not in page
        assert (await change(browser, "new@example.org", "wrong")).status_code == 400
        assert (await change(browser, "new@example.org")).status_code == 303
        assert "Your address was changed" in await browser.text(ACCOUNT)
        assert await address(database) == ("new@example.org", "new@example.org", False)
        assert (await browser.post(f"{ACCOUNT}/confirm", page=ACCOUNT)).status_code == 303
