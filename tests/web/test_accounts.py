"""Signing up: what is refused and how, what is kept, and two who want one name."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import func, select

from microblog import create_app
from microblog.core.tokens import setup_token
from microblog.database import Database
from microblog.models import Session, User
from microblog.queries import users
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import PASSWORD, Browser, MakeUser, Visit
from tests.web.browsing import Work, viewer

REGISTER = "/auth/register"


async def sign_up(browser: Browser, username: str = "mina", **changed: str) -> Any:
    """Send the sign-up form."""
    form = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    form |= {"password2": changed.get("password", PASSWORD)} | changed
    return await browser.post(REGISTER, form, page=REGISTER)


async def people(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(User)))


def refused(page: str) -> set[str]:
    """Return the fields that a page shows an error beside."""
    names = ("username", "email", "password", "password2")
    return {name for name in names if f'id="{name}-error"' in page}


@both_databases
async def test_sign_up_logs_in_and_returns_to_where_one_was(
    visit: Visit, database: Database
) -> None:
    browser = await visit()
    answer = await sign_up(browser, next="/explore?before=3")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/explore?before=3"
    assert await viewer(browser) != ""
    async with database.read() as read:
        user = await read.scalar(select(User))
    assert (user.username, user.email, user.role) == ("mina", "mina@example.org", "member")
    assert PASSWORD not in user.password_hash


async def test_link_from_a_page_leads_back_to_it(visit: Visit) -> None:
    browser = await visit()
    assert 'href="/auth/register?next=/explore"' in await browser.text("/explore")
    page = await browser.text("/auth/register?next=/explore")
    assert 'name="next" value="/explore"' in page


@pytest.mark.parametrize(
    "name",
    [
        "admin",
        "Admin",
        "ADM1N",
        "a_d_m_i_n",
        "r00t",
        "api",
        "static",
        "settings",
        "mіna",  # with a Cyrillic і
        "Мina",  # with a Cyrillic М
        "ｍｉｎａ",
        "mina\u200b",
        "mina\0",
        "한글이름",
        "mí na",
        "mi",
        "m" * 31,
        "1mina",
        "_mina",
        "mi-na",
        "mi.na",
        "mina@x",
        "<b>mina</b>",
        "",
        "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
    ],
)
async def test_name_that_cannot_be_taken_is_refused_beside_its_field(
    visit: Visit, database: Database, name: str
) -> None:
    answer = await sign_up(await visit(), name, email="mina@example.org")
    assert answer.status_code == 400
    assert refused(await answer.get_data(as_text=True)) == {"username"}
    assert await people(database) == 0


async def test_letter_that_only_looks_latin_is_named(visit: Visit) -> None:
    page = await (await sign_up(await visit(), "mіna", email="a@example.org")).get_data(True)
    assert "“і” is not one of them, even if it looks like one." in page


@both_databases
async def test_username_is_taken_in_any_case(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user("mina")
    answer = await sign_up(await visit(), "MINA", email="other@example.org")
    assert answer.status_code == 400
    assert refused(await answer.get_data(as_text=True)) == {"username"}
    assert await people(database) == 1


@both_databases
async def test_sign_up_does_not_tell_whether_an_address_is_known(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    first = await make_user("mina")
    answers = [
        await sign_up(await visit(), "june", email="MINA@Example.org"),
        await sign_up(await visit(), "juno", email="new@example.org"),
    ]
    bodies = [await answer.get_data(as_text=True) for answer in answers]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert bodies[0] == bodies[1]
    async with database.read() as read:
        found = await users.by_login(read, "mina@example.org")
    assert found is not None
    assert found.id == first.id, "the address stays the door of whoever gave it first"


async def test_all_faults_are_told_at_once_and_what_was_typed_is_kept(visit: Visit) -> None:
    answer = await sign_up(
        await visit(),
        "not a name",
        email="no address <x>",
        password="short 1",
        password2="other 2",
        next="/explore",
    )
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert refused(page) == {"username", "email", "password", "password2"}
    assert 'value="not a name"' in page
    assert 'value="no address &lt;x&gt;"' in page
    assert 'value="/explore"' in page
    assert "short 1" not in page
    assert "other 2" not in page


@pytest.mark.parametrize(
    "password", ["password123", "PASSWORD123", "12345678", "mina@example.org", "Microblog"]
)
async def test_password_that_is_tried_first_is_refused(visit: Visit, password: str) -> None:
    answer = await sign_up(await visit(), password=password)
    assert answer.status_code == 400
    assert refused(await answer.get_data(as_text=True)) == {"password"}


async def test_closed_sign_up_makes_no_account(settings: Settings, database: Database) -> None:
    app = create_app(replace(settings, sign_up_open=False))
    async with app.test_app():
        browser = await Visit(app, database)()
        assert (await browser.get(REGISTER)).status_code == 403
        answer = await browser.post(REGISTER, {"username": "mina", "password": PASSWORD})
        assert answer.status_code == 403
        assert "Signing up is closed" in await answer.get_data(as_text=True)
    assert await people(database) == 0


@both_databases
async def test_of_two_who_sign_up_at_once_with_one_name_one_gets_it(
    visit: Visit, database: Database
) -> None:
    for turn in range(3):
        names = (f"mina{turn}", f"MINA{turn}")
        browsers = [await visit(), await visit()]
        answers = await asyncio.gather(
            *(sign_up(b, name) for b, name in zip(browsers, names, strict=True))
        )
        assert sorted(answer.status_code for answer in answers) == [303, 400]
        (loser,) = (answer for answer in answers if answer.status_code == 400)
        assert refused(await loser.get_data(as_text=True)) == {"username"}
        assert await people(database) == turn + 1
    async with database.read() as read:
        assert await read.scalar(select(func.count()).select_from(Session)) == 3


async def test_sign_ups_of_a_network_are_limited_and_the_rest_costs_no_work(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(replace(settings, sign_ups_per_hour=2))
    work = Work(monkeypatch)
    async with app.test_app():
        visit = Visit(app, database)
        for name in ("one_1", "two_2"):
            assert (await sign_up(await visit(), name)).status_code == 303
        # What is wrong anyway is told without being counted.
        assert (await sign_up(await visit(), "x")).status_code == 400
        answer = await sign_up(await visit(), "three")
    assert answer.status_code == 429
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert 'value="three"' in await answer.get_data(as_text=True)
    assert work.hashed == 2
    assert await people(database) == 2


async def test_stale_form_keeps_what_was_typed(visit: Visit, database: Database) -> None:
    form = {"csrf_token": "old", "username": "mina", "email": "mina@example.org"}
    answer = await (await visit()).client.post(REGISTER, form=form)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert 'value="mina@example.org"' in page
    assert "Nothing you typed is lost" in page
    assert await people(database) == 0


# --- The first administrator -------------------------------------------------------------------


def link_token(app: Quart) -> str:
    runtime = app.extensions[EXTENSION]
    return setup_token(runtime.secret, runtime.hub.epoch)


async def set_up(browser: Browser, token: str, username: str) -> int:
    form = {"username": username, "email": f"{username}@example.org", "token": token}
    answer = await browser.post("/setup", form | {"password": PASSWORD, "password2": PASSWORD})
    return int(answer.status_code)


@both_databases
async def test_first_administrator_is_one_even_when_two_try_at_once(
    app: Quart, visit: Visit, database: Database
) -> None:
    token = link_token(app)
    assert (await (await visit()).get(f"/setup?token={token}")).status_code == 200
    browsers = [await visit() for _ in range(3)]
    statuses = await asyncio.gather(
        *(set_up(browser, token, f"owner_{n}") for n, browser in enumerate(browsers))
    )
    assert sorted(statuses) == [303, 404, 404]
    assert (await (await visit()).get(f"/setup?token={token}")).status_code == 404
    async with database.read() as read:
        assert list(await read.scalars(select(User.role))) == ["admin"]


async def test_without_the_link_there_is_no_set_up(
    app: Quart, visit: Visit, database: Database
) -> None:
    browser = await visit()
    for token in ("", "x", link_token(app)[:-1], "한글", link_token(app).upper()):
        answer = await browser.client.get("/setup", query_string={"token": token})
        assert answer.status_code == 404
        assert await set_up(browser, token, "owner_1") == 404
    assert (await browser.get("/setup")).status_code == 404
    assert await people(database) == 0
