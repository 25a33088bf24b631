"""No GET changes anything."""

from datetime import UTC, datetime, timedelta

import pytest
from quart import Quart

from microblog.actions import accounts
from microblog.database import Database
from microblog.queries import users
from microblog.runtime import EXTENSION
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser, Visit
from tests.web.browsing import ask
from tests.web.rows import changed, every_row
from tests.web.scene import Scene, set_up


@pytest.fixture
async def scene(app: Quart, database: Database, make_user: MakeUser, make_post: MakePost) -> Scene:
    return await set_up(app, database, make_user, make_post)


@both_databases
async def test_no_readable_address_changes_a_row(
    scene: Scene, visit: Visit, database: Database
) -> None:
    for browser in (await visit(scene.mina), await visit()):
        before = await every_row(database)
        for rule in scene.readable():
            for method in ("GET", "HEAD", "OPTIONS"):
                path = scene.address(rule)
                answer = await ask(browser, method, path, query_string=scene.fields)
                plain = await ask(browser, method, path)
                assert answer.status_code < 500, f"{method} {path}"
                assert plain.status_code < 500, f"{method} {path}"
                assert changed(before, await every_row(database)) == [], f"{method} {path}"


async def test_address_of_an_action_cannot_be_read(scene: Scene, visit: Visit) -> None:
    browser = await visit(scene.mina)
    readable = {rule.rule for rule in scene.readable()}
    for rule, _method in scene.unsafe():
        if rule.rule not in readable:
            answer = await browser.get(scene.address(rule))
            assert answer.status_code == 405, rule.rule


async def test_pages_are_there_to_be_read(scene: Scene, visit: Visit) -> None:
    """Show that the walk above comes to the pages themselves."""
    for rule in scene.readable():
        browser = await visit(await scene.reader(rule))
        answer = await browser.get(scene.address(rule))
        if not rule.rule.startswith("/api"):
            expected = {"/setup": 404, "/index": 301, "/auth/login": 303, "/auth/register": 303}
            expected |= {"/settings": 303, "/metrics": 403}
            assert answer.status_code == expected.get(rule.rule, 200), rule.rule


async def test_that_somebody_was_here_is_written_later_with_others(
    app: Quart, scene: Scene, visit: Visit, database: Database
) -> None:
    presence = app.extensions[EXTENSION].presence
    browser = await visit(scene.mina)
    await browser.text("/")
    assert not presence.seen, "her row is no minute old"
    now = datetime.now(UTC)
    async with database.write() as tx:
        await accounts.seen(tx, {scene.mina.id}, now - timedelta(hours=1))
    before = await every_row(database)
    await browser.text("/")
    assert changed(before, await every_row(database)) == []
    await presence.write(database, now)
    async with database.read() as read:
        assert (await users.by_id(read, scene.mina.id)).last_seen == now
