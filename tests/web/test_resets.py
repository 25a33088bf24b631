"""A forgotten password: the mail, its limits, several accounts of one address, and no mail."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from microblog.actions import addresses, departures
from microblog.core.tokens import digest
from microblog.database import Database
from microblog.models import MailedLink, User
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.mailboxes import MailServer, all_done, mailed_by, path_in, text_of
from tests.people import PASSWORD, MakeUser, Visit
from tests.web.browsing import log_in, peer
from tests.web.resetting import ASK, LINK, NEW, ask, choose, mailed_link, opens
from tests.web.rows import every_row

KOREAN = {"Accept-Language": "ko"}


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return mailed_by(settings, sink)


# --- The whole way -------------------------------------------------------------------------------


@both_databases
async def test_link_sets_a_new_password_and_ends_every_session(
    sink: MailServer, visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user()
    elsewhere = await visit(mina)
    answer = await ask(await visit())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login")
    mail = await sink.to("mina@example.org")
    path = path_in(mail, LINK)
    browser = await visit()
    assert "Choose a new password" in await browser.text(path)
    assert await choose(browser, path) == 303
    assert "You have a new password" in await browser.text("/auth/login")
    assert 'data-viewer=""' in await elsewhere.text("/explore")
    assert not await opens(visit, PASSWORD)
    assert await opens(visit, NEW)


@both_databases
async def test_who_left_for_a_while_comes_back_by_mail(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    async with database.write() as tx:
        await departures.deactivate(tx, mina, datetime.now(UTC))
    await ask(await visit())
    browser = await visit()
    assert await choose(browser, path_in(await sink.to("mina@example.org"), LINK)) == 303
    stranger = await visit()
    assert (await stranger.get("/user/mina")).status_code == 404, "until they log in"
    assert await opens(visit, NEW)
    assert (await stranger.get("/user/mina")).status_code == 200


async def test_who_is_suspended_or_deleted_is_mailed_no_link(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, sora = await make_user(), await make_user("sora")
    now = datetime.now(UTC)
    async with database.write() as tx:
        await departures.suspend(tx, None, mina, "Spam", now)
        await departures.delete(tx, sora, now)
    for name in ("mina", "sora"):
        await ask(await visit(), f"{name}@example.org")
    await all_done(database)
    assert sink.mails == []


async def test_mail_is_in_the_readers_language_and_answers_nobody(
    sink: MailServer, visit: Visit, make_user: MakeUser
) -> None:
    await make_user("mina", language="ko")
    await make_user("bora")
    await ask(await visit())
    korean = await sink.to("mina@example.org")
    assert korean["Subject"] == "Microblog 새 비밀번호"
    assert korean["Content-Language"] == "ko"
    assert "10분 안에" in text_of(korean)
    assert '<html lang="ko">' in text_of(korean, "html")
    await ask(await visit(), "bora@example.org", headers=KOREAN)
    asked_in_korean = await sink.to("bora@example.org")
    assert asked_in_korean["Content-Language"] == "ko"
    for mail in (korean, asked_in_korean):
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["From"] == "Our village <blog@example.org>"
        assert re.fullmatch(r"<[\w-]{43}@example\.org>", mail["Message-ID"])
        assert not [name for name in mail if name.lower().startswith("list-")]


async def test_weak_or_different_password_is_refused_and_the_link_stays(
    sink: MailServer, visit: Visit, make_user: MakeUser
) -> None:
    await make_user()
    path, browser = await mailed_link(sink, visit), await visit()
    for password in ("short", "password1", "mina@example.org", ""):
        assert await choose(browser, path, password) == 400
    fields = {"password": NEW, "password2": "other"}
    assert (await browser.post(path, fields, page=path)).status_code == 400
    assert await choose(browser, path) == 303


async def test_stale_page_keeps_the_link_and_what_was_typed(
    sink: MailServer, visit: Visit, make_user: MakeUser
) -> None:
    await make_user()
    path, browser = await mailed_link(sink, visit), await visit()
    stale = {"csrf_token": "stale", "email": "mina@example.org"}
    answer = await browser.client.post(ASK, form=stale)
    assert answer.status_code == 403
    assert 'value="mina@example.org"' in await answer.get_data(as_text=True)
    fields = {"csrf_token": "stale", "password": NEW, "password2": NEW}
    assert (await browser.client.post(path, form=fields)).status_code == 403
    assert await choose(browser, path) == 303


async def test_link_is_for_no_other_purpose(
    sink: MailServer, visit: Visit, make_user: MakeUser
) -> None:
    await make_user()
    token = (await mailed_link(sink, visit)).removeprefix(LINK)
    browser = await visit()
    assert (await browser.get(f"/auth/confirm_address/{token}")).status_code == 404
    assert (await browser.post(f"/auth/confirm_address/{token}")).status_code == 404
    assert await choose(browser, LINK + token) == 303


async def test_database_holds_no_token(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    token = (await mailed_link(sink, visit)).removeprefix(LINK)
    assert len(token) == 43
    assert token not in repr(await every_row(database))
    async with database.read() as read:
        assert await read.scalar(select(MailedLink.token_digest)) == digest(token)


# --- Limits --------------------------------------------------------------------------------------


@both_databases
async def test_sixth_request_for_an_address_waits_whoever_asks_and_whether_or_not_it_is_known(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    refusals = []
    for email in ("mina@example.org", "nobody@example.org"):
        for number in range(5):
            typed = email if number % 2 else email.upper().replace("EXAMPLE.ORG", "example.org")
            answer = await ask(await visit(), typed, **peer(f"10.0.0.{number}"))
            assert answer.status_code == 303
        answer = await ask(await visit(), email, **peer("10.0.0.9"))
        assert 3500 <= int(answer.headers["Retry-After"]) <= 3600
        refusals.append(answer.status_code)
    assert refusals == [429, 429]
    await all_done(database)
    assert len(sink.mails) == 5


async def test_twenty_first_request_of_a_network_waits(visit: Visit, database: Database) -> None:
    for number in range(20):
        answer = await ask(await visit(), f"person{number}@example.org", **peer("10.1.1.1"))
        assert answer.status_code == 303
    answer = await ask(await visit(), "another@example.org", **peer("10.1.1.1"))
    assert answer.status_code == 429
    answer = await ask(await visit(), "another@example.org", **peer("10.1.1.2"))
    assert answer.status_code == 303
    await all_done(database)


async def test_what_is_no_address_is_refused_beside_its_field(visit: Visit) -> None:
    for typed in ("", "mina", "mina@example.org\r\nBcc: evil@example.org", "x" * 300):
        answer = await ask(await visit(), typed)
        assert answer.status_code == 400
        assert 'id="email-error"' in await answer.get_data(as_text=True)


# --- One address, several accounts ---------------------------------------------------------------


async def share(database: Database, *users: User) -> None:
    async with database.write() as tx:
        for user in users:
            await addresses.change_unproved(tx, user, "shared@example.org")


async def test_address_that_nobody_proved_gets_one_mail_with_a_link_for_each_account(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    people = [await make_user(f"person{number:02}") for number in range(12)]
    await share(database, *people)
    await ask(await visit(), "shared@example.org")
    text = text_of(await sink.to("shared@example.org"))
    assert re.findall(r"@(person\d\d)", text) == [f"person{number:02}" for number in range(10)]
    links = re.findall(rf"{LINK}\S+", text)
    assert len(set(links)) == 10
    assert await choose(await visit(), links[3]) == 303
    assert (await log_in(await visit(), "person03", NEW)).status_code == 303
    assert (await log_in(await visit(), "person04", PASSWORD)).status_code == 303
    await all_done(database)
    assert len(sink.mails) == 1


async def test_address_is_proved_by_the_mail_and_then_only_its_owner_is_mailed(
    sink: MailServer, visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    await share(database, mina, bora)
    await ask(await visit(), "shared@example.org")
    first = text_of(await sink.next())
    (for_bora,) = re.findall(rf"@bora\s+\S*({LINK}\S+)", first)
    assert await choose(await visit(), for_bora) == 303
    await ask(await visit(), "shared@example.org")
    second = text_of(await sink.next(1))
    assert "@bora" in second
    assert "@mina" not in second
    assert (await log_in(await visit(), "shared@example.org", NEW)).status_code == 303, "by address"


# --- Without mail --------------------------------------------------------------------------------


class TestWithoutMail:
    """No mail server, or no address for the links: the page says whom to ask."""

    @pytest.fixture(params=["no server", "no address", "administrators"])
    def settings(self, settings: Settings, request: pytest.FixtureRequest) -> Settings:
        if request.param == "no address":
            return replace(settings, public_url=None)
        admins = ("owner@example.org",) if request.param == "administrators" else ()
        return replace(settings, mail_server=None, admins=admins)

    async def test_page_says_whom_to_ask(
        self, settings: Settings, visit: Visit, make_user: MakeUser, database: Database
    ) -> None:
        browser = await visit()
        assert "Ask whoever runs it" in await browser.text(ASK) or settings.admins
        await make_user("bora", role="admin")
        page = await browser.text(ASK)
        assert "This place sends no mail" in page
        named = "mailto:owner@example.org" if settings.admins else 'href="/user/bora"'
        assert named in page
        assert '<input class="form-control" id="email"' not in page
        answer = await ask(browser)
        assert answer.status_code == 409
        assert "This place sends no mail" in await answer.get_data(as_text=True)
        program = await browser.client.post("/api/tokens/reset", json={"email": "a@example.org"})
        assert program.status_code == 409
        async with database.read() as read:
            assert await read.scalar(select(func.count()).select_from(MailedLink)) == 0


class TestDeadMailServer:
    """A mail server that is configured and away breaks no page."""

    @pytest.fixture
    def settings(self, settings: Settings, free_port: int) -> Settings:
        return replace(settings, mail_port=free_port)

    async def test_every_page_works(self, visit: Visit, make_user: MakeUser) -> None:
        await make_user()
        assert (await ask(await visit())).status_code == 303
        account = {"username": "newcomer", "email": "new@example.org"}
        fields = account | {"password": PASSWORD, "password2": PASSWORD}
        browser = await visit()
        answer = await browser.post("/auth/register", fields, page="/auth/register")
        assert answer.status_code == 303
        assert "confirm your e-mail address" in await browser.text("/")
        assert (await log_in(await visit())).status_code == 303
