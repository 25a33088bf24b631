"""Forged requests: no other site's page, and no old page, changes anything."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from quart import Quart
from wtforms.csrf.session import SessionCSRF

from microblog.database import Database
from microblog.edge import forms
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.fake_translator import FakeTranslator
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.web.browsing import ask
from tests.web.rows import changed, every_row
from tests.web.scene import Scene, set_up

pytestmark = pytest.mark.S6

Headers = dict[str, str]


@dataclass
class Attack:
    """How a forged request is made: from a browser that is signed in, and a page of it."""

    visit: Visit
    browser: Browser
    monkeypatch: pytest.MonkeyPatch

    async def no_token(self) -> tuple[str | None, Headers]:
        return None, {}

    async def empty_token(self) -> tuple[str | None, Headers]:
        return "", {}

    async def stale_token(self) -> tuple[str | None, Headers]:
        """Take the token of a page that was opened a second too long ago."""
        age = forms.TOKEN_LIFE + timedelta(seconds=1)
        with self.monkeypatch.context() as past:
            past.setattr(SessionCSRF, "now", lambda _: datetime.now() - age)  # noqa: DTZ005
            return await self.browser.token(), {}

    async def longer_lived_token(self) -> tuple[str | None, Headers]:
        """Take a stale token and write a later time on it."""
        token, _ = await self.stale_token()
        later = (datetime.now() + timedelta(hours=1)).strftime("%Y%m%d%H%M%S")  # noqa: DTZ005
        return f"{later}##{str(token).partition('##')[2]}", {}

    async def token_of_another_browser(self) -> tuple[str | None, Headers]:
        return await (await self.visit()).token(), {}

    async def cross_site(self) -> tuple[str | None, Headers]:
        return await self.browser.token(), {"Sec-Fetch-Site": "cross-site"}

    async def sibling_site(self) -> tuple[str | None, Headers]:
        return await self.browser.token(), {"Sec-Fetch-Site": "same-site"}

    async def evil_origin(self) -> tuple[str | None, Headers]:
        return await self.browser.token(), {"Origin": "https://evil.example"}

    async def opaque_origin(self) -> tuple[str | None, Headers]:
        return await self.browser.token(), {"Origin": "null"}

    async def malformed_origin(self) -> tuple[str | None, Headers]:
        return await self.browser.token(), {"Origin": "http://["}


ATTACKS: list[Callable[[Attack], Awaitable[tuple[str | None, Headers]]]] = [
    Attack.no_token,
    Attack.empty_token,
    Attack.stale_token,
    Attack.longer_lived_token,
    Attack.token_of_another_browser,
    Attack.cross_site,
    Attack.sibling_site,
    Attack.evil_origin,
    Attack.opaque_origin,
    Attack.malformed_origin,
]


@pytest.fixture
def settings(settings: Settings, translation_service: FakeTranslator) -> Settings:
    """With mail and translations, so that every form does something."""
    made = {"mailer": "console", "public_url": "http://localhost"} | translation_service.settings
    return replace(settings, **made)


@pytest.fixture
async def scene(app: Quart, database: Database, make_user: MakeUser, make_post: MakePost) -> Scene:
    return await set_up(app, database, make_user, make_post)


@both_databases
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_forged_request_is_refused_and_changes_no_row(
    attack: Callable[[Attack], Awaitable[tuple[str | None, Headers]]],
    scene: Scene,
    visit: Visit,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = await visit(scene.mina)
    token, headers = await attack(Attack(visit, browser, monkeypatch))
    before = await every_row(database)
    let_through = {}
    for rule, method in scene.unsafe():
        form = scene.form(rule) | ({"csrf_token": token} if token is not None else {})
        answer = await ask(browser, method, scene.address(rule), form=form, headers=headers)
        tables = changed(before, await every_row(database))
        if not 400 <= answer.status_code < 500 or tables:
            let_through[f"{method} {rule.rule}"] = (answer.status_code, tables)
    assert let_through == {}


@both_databases
async def test_good_request_is_carried_out_at_each_route_that_is_guarded(
    scene: Scene, visit: Visit, database: Database
) -> None:
    """Show that the requests above fail for their forgery alone."""
    fruitless = {}
    for rule, method in scene.unsafe():
        browser = await visit(await scene.reader(rule))
        form = scene.form(rule) | {"csrf_token": await browser.token()}
        own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        before = await every_row(database)
        answer = await ask(browser, method, scene.address(rule), form=form, headers=own)
        tables = changed(before, await every_row(database))
        if answer.status_code >= 400 or not tables:
            fruitless[f"{method} {rule.rule}"] = (answer.status_code, tables)
    assert fruitless == {}, "give these routes a better example in tests/web/scene.py"


async def test_token_in_the_header_is_as_good_as_in_the_form(scene: Scene, visit: Visit) -> None:
    browser = await visit(scene.mina)
    headers = {forms.TOKEN_HEADER: await browser.token()}
    answer = await browser.client.post("/follow/bora", headers=headers)
    assert answer.status_code == 303
    assert "/unfollow/bora" in await browser.text("/user/bora")


async def test_address_that_takes_no_form_says_so_without_a_token(visit: Visit) -> None:
    browser = await visit()
    assert (await browser.client.post("/nowhere")).status_code == 404
    assert (await browser.client.post("/explore")).status_code == 405
