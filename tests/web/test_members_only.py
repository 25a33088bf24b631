"""A microblog that its members keep to themselves."""

from dataclasses import replace

import pytest
from quart import Quart
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from microblog.database import Database
from microblog.settings import Settings
from tests.people import MakePost, MakeUser, Visit, session_cookie
from tests.serving import serving
from tests.web.scene import Scene, set_up

OPEN = {"/", "/index", "/auth/login", "/auth/register", "/setup", "/healthz", "/readyz"}
OPEN |= {"/auth/reset_password_request", "/auth/reset_password/<token>"}
OPEN |= {"/auth/confirm_address/<token>", "/.well-known/jwks.json", "/metrics"}
PICTURE = "/user/<username>/avatar.svg"  # drawn from the name alone


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, members_only=True)


@pytest.fixture
async def scene(app: Quart, database: Database, make_user: MakeUser, make_post: MakePost) -> Scene:
    return await set_up(app, database, make_user, make_post)


async def test_stranger_sees_what_this_place_is_and_no_post(scene: Scene, visit: Visit) -> None:
    page = await (await visit()).text("/")
    assert "for members only" in page
    assert "Rain over" not in page
    assert "mina" not in page
    assert 'data-live-topics=""' in page


async def test_stranger_is_led_to_the_log_in_everywhere_else(scene: Scene, visit: Visit) -> None:
    browser = await visit()
    walked = 0
    for rule in scene.readable():
        special = rule.rule in OPEN | {PICTURE} or rule.rule.startswith(("/static/", "/api"))
        if special:
            continue
        path = scene.address(rule)
        answer = await browser.get(path)
        assert answer.status_code == 303, rule.rule
        assert answer.headers["Location"] == f"/auth/login?next={path}", rule.rule
        program = await browser.get(path, headers={"Accept": "application/json"})
        assert program.status_code == 401, rule.rule
        walked += 1
    assert walked >= 7


async def test_what_is_not_there_is_told_no_stranger(scene: Scene, visit: Visit) -> None:
    browser = await visit()
    for path in ("/user/nobody", "/post/999999", "/user/nobody/followers"):
        assert (await browser.get(path)).status_code == 303, path


async def test_member_reads_everything(scene: Scene, visit: Visit) -> None:
    browser = await visit(scene.bora)
    for path in ("/explore", "/user/mina", "/tag/seoul", f"/post/{scene.post.id}"):
        assert "Rain over" in await browser.text(path), path


async def test_live_connection_refuses_strangers(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user()
    programs = [Subprotocol("microblog.v1")]
    async with serving(settings) as server:
        for topics in ("", "?topics=explore", "?since=0"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{server.live_url}{topics}", subprotocols=programs)
            assert refused.value.response.status_code == 401
        assert not server.runtime.hub.listeners
        cookie = {"Cookie": f"session={await session_cookie(database, server.app, mina)}"}
        async with connect(
            server.live_url, subprotocols=programs, additional_headers=cookie
        ) as socket:
            assert '"hello"' in str(await socket.recv())
