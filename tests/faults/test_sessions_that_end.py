"""S17: what ends a session closes its sockets on every worker, also while Redis is dead."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from microblog.actions import departures, sessions
from microblog.queries import users
from tests import forms
from tests.crowd import another_token, token_of
from tests.faults.conftest import on_all, on_many
from tests.faults.sites import ALONE, Site, form_token, spread
from tests.live.clients import LiveClient, listening
from tests.people import PASSWORD

pytestmark = pytest.mark.S17

SOCKETS = 5
CLOSED_SECONDS = 2.0
NEW = "another long sentence"
CHANGE = {"old_password": PASSWORD, "password": NEW, "password2": NEW}


async def closed(site: Site, clients: dict[LiveClient, int], began: float) -> None:
    """Check that all are told that their session ended, on each of the workers, and soon."""
    assert len(clients) == SOCKETS
    assert len(set(clients.values())) >= (1 if site.setup == ALONE else 2)
    codes = await asyncio.gather(*(client.close_code(10) for client in clients))
    took = time.monotonic() - began
    print(f"{site.setup}: {len(set(clients.values()))} workers, closed after {took:.2f} s")
    assert codes == [4001] * SOCKETS
    assert took <= forms.at_most(CLOSED_SECONDS)


async def status_of(site: Site, cookie: str) -> int:
    """Ask for what only its owner sees, with a cookie."""
    async with httpx.AsyncClient(base_url=site.server.url, cookies={"session": cookie}) as http:
        shown = await http.get("/notifications", headers={"Accept": "application/json"})
        return shown.status_code


@on_all
async def test_end_of_a_session_closes_its_sockets_on_every_worker_without_redis(
    own_site: Site,
) -> None:
    """One after another: a log-out, a change of the password, tokens given back."""
    browser = await own_site.browser("mina")
    cookie = browser.cookies["session"]
    token, other = await token_of(own_site.server, "jun"), await token_of(own_site.server, "sora")
    if own_site.redis is not None:
        await asyncio.to_thread(own_site.redis.kill)
    async with AsyncExitStack() as stack, listening(own_site.live_url, token=other) as bystander:
        stack.push_async_callback(browser.aclose)
        assert await status_of(own_site, cookie) == 200
        clients = await spread(stack, own_site, SOCKETS, cookie=cookie)
        form = {"csrf_token": form_token((await browser.get("/")).text)}
        began = time.monotonic()
        assert (await browser.post("/auth/logout", data=form)).status_code == 303
        await closed(own_site, clients, began)
        assert await status_of(own_site, cookie) == 401

        clients = await spread(stack, own_site, SOCKETS, token=token)
        began = time.monotonic()
        await change_password(own_site, "jun")
        await closed(own_site, clients, began)
        await refused(own_site, token)

        clients = await spread(stack, own_site, SOCKETS, token=other)
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {other}"}
        async with httpx.AsyncClient(base_url=own_site.server.url, headers=headers) as http:
            assert (await http.delete("/api/tokens")).status_code == 204
            await closed(own_site, clients, began)
            assert (await http.delete("/api/tokens")).status_code == 401
        assert await bystander.close_code() == 4001  # it was opened with the same tokens
        await refused(own_site, other)


@on_many
async def test_leaving_suspension_and_a_new_password_close_sockets_on_every_worker(
    own_site: Site,
) -> None:
    """A new password in the settings leaves the one session that asked for it, with its sockets."""
    mina, jun = await own_site.browser("mina"), await own_site.browser("jun")
    cookie, server = mina.cookies["session"], own_site.server
    token, other = await another_token(server, "mina"), await token_of(server, "sora")
    if own_site.redis is not None:
        await asyncio.to_thread(own_site.redis.kill)
    async with AsyncExitStack() as stack, listening(own_site.live_url, cookie=cookie) as here:
        for browser in (mina, jun):
            stack.push_async_callback(browser.aclose)
        clients = await spread(stack, own_site, SOCKETS, token=token)
        began = time.monotonic()
        await send(mina, "/settings/password", **CHANGE)
        await closed(own_site, clients, began)
        await refused(own_site, token)
        assert await status_of(own_site, cookie) == 200
        await here.say({"type": "subscribe", "topic": "explore"})
        await here.frame_of("subscribed")

        clients = await spread(stack, own_site, SOCKETS, cookie=cookie)
        began = time.monotonic()
        await send(mina, "/settings/deactivate", password=NEW)
        await closed(own_site, clients, began)
        assert await status_of(own_site, cookie) == 401
        assert await here.close_code(10) == 4001

        cookie = jun.cookies["session"]
        clients = await spread(stack, own_site, SOCKETS, cookie=cookie)
        began = time.monotonic()
        await send(jun, "/settings/delete", password=PASSWORD)
        await closed(own_site, clients, began)
        assert await status_of(own_site, cookie) == 401

        clients = await spread(stack, own_site, SOCKETS, token=other)
        began = time.monotonic()
        await suspend(own_site, "sora")
        await closed(own_site, clients, began)
        await refused(own_site, other)


async def send(browser: httpx.AsyncClient, path: str, **fields: str) -> None:
    """Send a form of the settings."""
    form = {"csrf_token": form_token((await browser.get(path)).text)} | fields
    answer = await browser.post(path, data=form)
    assert answer.status_code == 303, answer.text


async def suspend(site: Site, username: str) -> None:
    """Do what the command does, in a process beside the server."""
    async with site.database() as database, database.write() as tx:
        user = await users.by_username(tx, username)
        await departures.suspend(tx, None, user, "Spam", datetime.now(UTC))


async def change_password(site: Site, username: str) -> None:
    """Do what the command that sets a new password does, in a process beside the server."""
    async with site.database() as database, database.write() as tx:
        user = await users.by_username(tx, username)
        assert user is not None
        await sessions.revoke_all(tx, user.id, datetime.now(UTC))


async def refused(site: Site, token: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with listening(site.live_url, token=token):
            pass
    assert refusal.value.response.status_code == 401
