"""Logging in and out in the pages, and how long a browser is remembered."""

from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import select, update
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from microblog.core import passwords
from microblog.database import Database
from microblog.models import Session, User
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import PASSWORD, MakeUser, Visit, session_cookie
from tests.serving import Serving
from tests.web.browsing import LOGIN, Work, log_in, viewer

REMEMBERED = {"remember_me": "y"}


def session_in(answer: Any) -> "Morsel[str] | None":
    """Return the session's cookie where an answer sets it."""
    for line in answer.headers.getlist("Set-Cookie"):
        if morsel := SimpleCookie(line).get("session"):
            return morsel
    return None


async def sessions(database: Database) -> list[Session]:
    async with database.read() as read:
        return list(await read.scalars(select(Session).order_by(Session.id)))


@both_databases
@pytest.mark.parametrize(
    "name", ["mina", "Mina", "MINA", " mina ", "mina@example.org", "MINA@Example.ORG"]
)
async def test_person_logs_in_by_name_or_address_in_any_case(
    visit: Visit, make_user: MakeUser, name: str
) -> None:
    mina = await make_user("Mina")
    browser = await visit()
    assert (await log_in(browser, name)).status_code == 303
    assert await viewer(browser) == str(mina.id)


async def test_address_that_was_typed_in_pieces_is_the_same(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    async with database.write() as tx:
        changed = {"email": "한글@example.org", "email_key": "한글@example.org"}
        await tx.execute(update(User).where(User.id == mina.id).values(**changed))
    pieces = "\u1112\u1161\u11ab\u1100\u1173\u11af@example.org"
    assert (await log_in(await visit(), pieces)).status_code == 303


@both_databases
@pytest.mark.parametrize(
    "name", ["", " ", "nobody", "mi\0na", "\0", "x" * 10_000, "👩‍👩‍👧‍👦", "mína"]
)
async def test_name_that_nobody_has_logs_nobody_in(
    visit: Visit, make_user: MakeUser, name: str
) -> None:
    await make_user()
    answer = await log_in(await visit(), name)
    assert 400 <= answer.status_code < 500
    assert session_in(answer) is None


async def test_unknown_account_and_wrong_password_are_told_and_worked_on_alike(
    visit: Visit, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user("known_name")
    work = Work(monkeypatch)
    told = []
    for name in ("known_name", "known_name@example.org", "other_name", "other@example.org"):
        before = work.done
        answer = await log_in(await visit(), name, "not the password")
        page = (await answer.get_data(as_text=True)).replace(name, "NAME")
        page = page.replace(await token_in(page), "TOKEN")
        told.append((answer.status_code, page, work.compared - before[0], work.hashed - before[1]))
    assert told[0][0] == 401
    assert told[0][2:] == (1, 0)
    assert all(each == told[0] for each in told)


async def token_in(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


async def test_first_log_in_of_a_process_takes_as_long_for_an_unknown_account(
    visit: Visit, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user()
    counted = []
    work = Work(monkeypatch)
    for name in ("mina", "nobody"):
        passwords.dummy_hash.cache_clear()
        before = work.done
        await log_in(await visit(), name, "not the password")
        counted.append((work.compared - before[0], work.hashed - before[1]))
    assert counted == [(1, 1), (1, 1)]


async def test_page_of_the_log_in_returns_to_where_one_was(
    visit: Visit, make_user: MakeUser
) -> None:
    await make_user()
    browser = await visit()
    guarded = await browser.get("/notifications?before=7")
    assert guarded.status_code == 303
    page = guarded.headers["Location"]
    answer = await log_in(browser, more={"next": "/notifications?before=7"})
    assert page == "/auth/login?next=/notifications?before%3D7"
    assert answer.headers["Location"] == "/notifications?before=7"


# --- Remembering -------------------------------------------------------------------------------


async def test_cookie_lasts_for_the_browsers_session_unless_one_is_to_be_remembered(
    visit: Visit, make_user: MakeUser, database: Database, settings: Settings
) -> None:
    await make_user()
    short = session_in(await log_in(await visit()))
    long = session_in(await log_in(await visit(), more=REMEMBERED))
    assert short is not None
    assert long is not None
    assert short["max-age"] == ""
    assert int(long["max-age"]) == settings.remember_days * 86_400
    now = datetime.now(UTC)
    first, second = await sessions(database)
    assert timedelta(hours=23) < first.expires_at - now <= timedelta(hours=24)
    assert timedelta(days=29) < second.expires_at - now <= timedelta(days=30)


async def test_only_the_digest_of_a_session_is_kept(
    visit: Visit, make_user: MakeUser, database: Database, app: Quart
) -> None:
    await make_user()
    cookie = session_in(await log_in(await visit()))
    assert cookie is not None
    (extension,) = app.extensions["QUART_AUTH"]
    token = extension.load_token(cookie.value, app)
    (row,) = await sessions(database)
    assert token.encode() not in row.token_digest
    assert len(row.token_digest) == 32


@both_databases
@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "short"])
async def test_session_in_use_is_extended_when_half_of_it_is_spent(
    visit: Visit,
    make_user: MakeUser,
    database: Database,
    app: Quart,
    settings: Settings,
    remembered: bool,
) -> None:
    mina = await make_user()
    browser = await visit()
    await log_in(browser, more=REMEMBERED if remembered else {})
    life = timedelta(days=settings.remember_days) if remembered else timedelta(hours=24)
    presence = app.extensions[EXTENSION].presence

    await leave(database, life / 2 + timedelta(minutes=1))
    assert session_in(await browser.get("/")) is None
    assert not presence.extended

    await leave(database, life / 2 - timedelta(minutes=1))
    fresh = session_in(await browser.get("/"))
    assert fresh is not None
    assert fresh["max-age"] == (str(settings.remember_days * 86_400) if remembered else "")
    now = datetime.now(UTC)
    await presence.write(database, now)
    (row,) = await sessions(database)
    assert abs(row.expires_at - now - life) < timedelta(minutes=1)
    assert row.used_at == now
    assert await viewer(browser) == str(mina.id)


async def leave(database: Database, left: timedelta) -> None:
    """Let only so much of every session be left."""
    async with database.write() as tx:
        await tx.execute(update(Session).values(expires_at=datetime.now(UTC) + left))


async def test_session_that_is_over_is_nobody_and_cannot_be_extended(
    visit: Visit, make_user: MakeUser, database: Database, app: Quart
) -> None:
    await make_user()
    browser = await visit()
    await log_in(browser)
    await leave(database, timedelta(seconds=-1))
    assert await viewer(browser) == ""
    assert not app.extensions[EXTENSION].presence.extended


async def test_socket_of_a_half_spent_session_is_accepted_and_extends_it(
    server: Serving, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    cookie = await session_cookie(database, server.app, mina)
    await leave(database, timedelta(hours=1))
    async with connect(
        server.live_url,
        subprotocols=[Subprotocol("microblog.v1")],
        additional_headers={"Cookie": f"session={cookie}"},
    ) as socket:
        assert '"hello"' in str(await socket.recv())
        (listener,) = server.runtime.hub.listeners
        assert listener.viewer_id == mina.id
    assert server.runtime.presence.extended


# --- Logging out -------------------------------------------------------------------------------


@both_databases
async def test_logged_out_cookie_is_nobody_even_where_it_was_kept(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    browser, elsewhere = await visit(), await visit()
    cookie = session_in(await log_in(browser))
    assert cookie is not None
    other = session_in(await log_in(elsewhere))
    assert other is not None
    answer = await browser.post("/auth/logout")
    removed = session_in(answer)
    assert answer.status_code == 303
    assert removed is not None
    assert removed["max-age"] == "0" or "1970" in removed["expires"]
    thief = await visit()
    thief.client.set_cookie("localhost", "session", cookie.value)
    assert await viewer(thief) == ""
    assert await viewer(elsewhere) == str(mina.id)
    assert len(await sessions(database)) == 1


async def test_forged_cookie_is_nobody(visit: Visit, make_user: MakeUser, app: Quart) -> None:
    mina = await make_user()
    for value in ("", "x", str(mina.id), "eyJhIjoxfQ.x.y", "%00", "a" * 3000):
        browser = await visit()
        browser.client.set_cookie("localhost", "session", value)
        assert await viewer(browser) == "", value


async def test_deactivated_person_is_nobody_and_cannot_log_in(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()
    browser = await visit(mina)
    async with database.write() as tx:
        await tx.execute(update(User).values(deactivated_at=datetime.now(UTC)))
    assert await viewer(browser) == ""
    assert (await log_in(await visit())).status_code == 401


async def test_each_log_in_is_a_session_of_its_own(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    browser = await visit()
    first = session_in(await log_in(browser))
    token = await browser.token("/")
    again = await browser.client.post(
        LOGIN, form={"csrf_token": token, "username": "mina", "password": PASSWORD}
    )
    second = session_in(again)
    assert first is not None
    assert second is not None
    assert first.value != second.value
