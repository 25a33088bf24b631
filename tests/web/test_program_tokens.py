"""The page where people make tokens for their programs."""

import re
from typing import Any
from urllib.parse import urlencode

from quart import Quart
from sqlalchemy import func, select

from microblog.core import scopes
from microblog.core.scopes import MOST_TOKENS
from microblog.database import Database
from microblog.models import TokenFamily
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import PASSWORD, Browser, MakeUser, Visit

PAGE = "/settings/tokens"
TOKEN = re.compile(r"mbt_[\w-]{43}")


async def make(browser: Browser, **fields: Any) -> Any:
    filled = {"name": "cron at home", "scopes": ["read", "write"], "days": "30"}
    filled |= {"password": PASSWORD, "csrf_token": await browser.token(PAGE)} | fields
    body = urlencode(filled, doseq=True)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await browser.client.post(PAGE, data=body, headers=headers)


async def made_in(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(TokenFamily)))


@both_databases
async def test_token_is_shown_once_works_and_is_revoked(
    visit: Visit, make_user: MakeUser, app: Quart
) -> None:
    browser = await visit(await make_user("mina"))
    assert "Your tokens" not in await browser.text(PAGE)
    answer = await make(browser)
    shown = await answer.get_data(as_text=True)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    (token,) = TOKEN.findall(shown)
    program = Program(app, token)
    await program.json("POST", "/api/posts", 201, json={"body": "from cron"})
    await program.problem("GET", "/api/tokens", 403)
    later = await browser.text(PAGE)
    assert not TOKEN.search(later)
    assert "cron at home" in later
    assert "<code>write</code>" in later
    assert "1 token that you made" in await browser.text("/settings/sessions")
    (path,) = re.findall(r'formaction="(/settings/tokens/\d+/revoke)"', later)
    other = await visit(await make_user("june"))
    assert (await other.post(path)).status_code == 404
    assert (await browser.post(path)).status_code == 303
    await program.problem("GET", "/api/me", 401)
    assert "cron at home" not in await browser.text(PAGE)


async def test_what_is_wrong_is_told_beside_its_field_and_makes_nothing(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user("mina"))
    for fields, told in (
        ({"name": " \u200b"}, "Give the token a name"),
        ({"name": "x" * 61}, "60"),
        ({"scopes": []}, "Choose what the token may be used for."),
        ({"scopes": ["read", "everything"]}, "Choose what the token may be used for."),
        ({"scopes": ["admin"]}, "Choose what the token may be used for."),
        ({"days": "36500"}, "Choose how long the token is to last."),
        ({"days": "-1"}, "Choose how long the token is to last."),
        ({"days": "soon"}, "Invalid Choice"),
        ({"password": "wrong"}, "That is not your password."),
    ):
        answer = await make(browser, **fields)
        page = await answer.get_data(as_text=True)
        assert answer.status_code == 400, fields
        assert told in page, fields
        assert "name" in fields or 'value="cron at home"' in page
        assert PASSWORD not in page
    assert await made_in(database) == 0


async def test_stale_form_keeps_what_was_typed(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user("mina"))
    answer = await make(browser, csrf_token="stale")
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert 'value="cron at home"' in page
    assert re.search(r'value="write" checked', page)


async def test_administrator_alone_may_give_the_scope_of_one(
    visit: Visit, make_user: MakeUser
) -> None:
    member, admin = (
        await visit(await make_user("mina")),
        await visit(await make_user("ruth", role="admin")),
    )
    assert 'value="admin"' not in await member.text(PAGE)
    assert 'value="admin"' in await admin.text(PAGE)
    assert (await make(admin, scopes=["admin"])).status_code == 201


async def test_there_is_an_end_to_how_many_one_has(
    visit: Visit, make_user: MakeUser, database: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr(scopes, "MOST_TOKENS", 2)
    assert MOST_TOKENS > 2
    browser = await visit(await make_user("mina"))
    assert [(await make(browser)).status_code for _ in range(3)] == [201, 201, 409]
    assert await made_in(database) == 2
