"""Handshakes of `/live` from other sites' pages, on a real server."""

from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from microblog.database import Database
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import MakeUser, session_cookie
from tests.serving import Serving, serving

pytestmark = [pytest.mark.S7, both_databases]

PROGRAMS = [Subprotocol("microblog.v1")]
PUBLIC = "https://blog.example.org"


async def handshake(
    server: Serving,
    origin: str | None,
    cookie: str = "",
    protocols: list[Subprotocol] = PROGRAMS,
    site: str | None = None,
) -> int:
    """Return the status of a handshake: 101 where it was accepted."""
    sent = {"Cookie": f"session={cookie}"} if cookie else {}
    if site is not None:
        sent["Sec-Fetch-Site"] = site
    try:
        async with connect(
            server.live_url,
            origin=Origin(origin) if origin is not None else None,
            subprotocols=protocols,
            additional_headers=sent,
        ) as socket:
            assert '"hello"' in str(await socket.recv())
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.fixture
async def cookie(server: Serving, database: Database, make_user: MakeUser) -> str:
    """The cookie of somebody who is signed in, which browsers send along."""
    return await session_cookie(database, server.app, await make_user())


FOREIGN = [
    "https://evil.example",
    "http://{host}.evil.example",
    "http://evil{host}",
    "http://evil.example:{port}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost:{port}",
    "http://{host}@evil.example",
    "http://evil.example@{host}",
    "http://{host}/",
    "http://{host}/evil",
    "http://{host}, https://evil.example",
    "ftp://{host}",
    "file://{host}",
    "chrome-extension://{host}",
    "HTTP://{host}",
    "//{host}",
    "{host}",
    "null",
    "",
    "http://",
    "http://[",
    "*",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_handshake_of_a_foreign_page_is_refused_before_it_is_accepted(
    server: Serving, cookie: str, origin: str
) -> None:
    host = f"127.0.0.1:{server.port}"
    assert await handshake(server, origin.format(host=host, port=server.port), cookie) == 403
    assert not server.runtime.hub.listeners


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_handshake_that_the_browser_calls_foreign_is_refused(
    server: Serving, cookie: str, site: str
) -> None:
    assert await handshake(server, None, cookie, site=site) == 403


async def test_handshake_of_our_own_page_is_accepted(server: Serving, cookie: str) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert await handshake(server, own, cookie) == 101
    assert await handshake(server, own, cookie, site="same-origin") == 101


async def test_program_without_origin_or_cookie_is_accepted_as_nobody(server: Serving) -> None:
    async with connect(server.live_url, subprotocols=PROGRAMS) as socket:
        assert '"hello"' in str(await socket.recv())
        (listener,) = server.runtime.hub.listeners
        assert listener.viewer_id is None


async def test_foreign_page_cannot_pass_by_naming_an_empty_bearer_token(
    server: Serving, cookie: str
) -> None:
    offered = [*PROGRAMS, Subprotocol("bearer.")]
    assert await handshake(server, "https://evil.example", cookie, offered) in {401, 403}


async def test_with_a_public_address_only_that_one_is_ours(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user()
    async with serving(replace(settings, public_url=PUBLIC)) as server:
        cookie = await session_cookie(database, server.app, mina)
        for origin in (
            f"http://127.0.0.1:{server.port}",
            PUBLIC.replace("https", "http"),
            f"{PUBLIC}:444",
            f"{PUBLIC}.evil.example",
            f"{PUBLIC}/",
            "https://evil.blog.example.org",
            "null",
        ):
            assert await handshake(server, origin, cookie) == 403, origin
        assert await handshake(server, PUBLIC, cookie) == 101
