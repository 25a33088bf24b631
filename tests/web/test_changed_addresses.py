"""One's e-mail address is changed with the password and a link, and the old one is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from microblog.actions import addresses
from microblog.database import Database
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.mailboxes import MailServer, all_done, mailed_by, path_in, text_of
from tests.people import PASSWORD, MakeUser, Visit
from tests.web.browsing import log_in
from tests.web.confirming import ACCOUNT, LINK, address, change, confirm


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


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
