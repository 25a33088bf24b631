"""Mina goes and comes back, and an administrator keeps her out, while Jun has pages open."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from microblog.database import open_database
from microblog.settings import Settings
from tests.conftest import require
from tests.journeys.browsing import PASSWORD, Person, chromium, person
from tests.people import MakeUser
from tests.services import AppServer

PATIENCE_MS = 15_000
NEW = "another long sentence"
TEXT = "Rain over 서울"


@pytest.fixture
def place() -> Iterator[AppServer]:
    require("chromium")
    with AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        yield server


async def submit(someone: Person, **fields: str) -> None:
    """Fill in the form of the page and send it."""
    for name, value in fields.items():
        await someone.page.fill(f"[name={name}]", value)
    await someone.page.click("main form button[type=submit]")


async def log_in(someone: Person, username: str, password: str = PASSWORD) -> None:
    await someone.go("/auth/login")
    await submit(someone, username=username, password=password)


async def sees(someone: Person, count: int) -> None:
    await expect(someone.post(TEXT)).to_have_count(count, timeout=PATIENCE_MS)


async def make_administrator(server: AppServer) -> None:
    url = f"sqlite:///{server.folder}/var/microblog.db"
    database = open_database(Settings(database_url=url, bcrypt_rounds=4))
    await MakeUser(database)("boss", role="admin")
    await database.close()


async def take_another_name(mina: Person, jun: Person) -> None:
    """Let Mina be called otherwise: Jun sees it, and the old name leads on."""
    await jun.go("/user/mina")
    await jun.is_live()
    await mina.go("/settings/username")
    await submit(mina, username="mina_k")
    await expect(jun.post(TEXT).locator(".post-handle")).to_have_text("@mina_k")
    await jun.go("/user/mina")
    assert jun.page.url.endswith("/user/mina_k")
    await jun.go("/explore")
    await jun.is_live()


async def change_password_and_go(mina: Person) -> None:
    """Let Mina have a new password, and leave with it."""
    await mina.go("/settings/password")
    await submit(mina, old_password=PASSWORD, password=NEW, password2=NEW)
    await expect(mina.page.locator(".flash-success")).to_be_visible()
    await mina.go("/settings/deactivate")
    await submit(mina, password=NEW)
    await expect(mina.page.locator(".flash-info")).to_contain_text("30")


async def keep_out_and_let_in(mina: Person, jun: Person, boss: Person) -> None:
    """Let Mina be suspended and restored: she is told why, and Jun sees it."""
    await log_in(boss, "boss")
    await boss.go("/user/mina_k")
    await boss.page.click("a[href='/admin/people/mina_k']")
    await submit(boss, reason="Forty links to one shop")
    await expect(boss.page.locator(".state-bad")).to_be_visible()
    await sees(jun, 0)
    await log_in(mina, "mina_k", NEW)
    await expect(mina.page.locator(".flash-danger")).to_contain_text("Forty links to one shop")
    mina.errors.clear()  # the console tells of the refusal
    await submit(boss, reason="She explained it")
    await expect(boss.page.locator(".state-bad")).to_have_count(0)
    await sees(jun, 1)


async def test_what_somebody_wrote_leaves_every_page_with_them_and_returns(
    place: AppServer,
) -> None:
    """A second window is closed and opened meanwhile, and the server is started again."""
    await make_administrator(place)
    async with (
        chromium() as browser,
        person(browser, place.url) as mina,
        person(browser, place.url) as jun,
        person(browser, place.url) as boss,
    ):
        await mina.sign_up("mina")
        await mina.write(f"{TEXT} @jun")
        await jun.sign_up("jun")
        await jun.go("/explore")
        await jun.is_live()
        await sees(jun, 1)

        await take_another_name(mina, jun)
        await change_password_and_go(mina)
        await sees(jun, 0)

        await jun.page.close()  # what happens now, the second window finds when it is opened
        place.restart()
        jun.page = await jun.context.new_page()
        await jun.go("/explore")
        await jun.is_live()
        await sees(jun, 0)
        await log_in(mina, "mina_k", NEW)
        await expect(mina.page.locator(".flash-success")).to_be_visible()
        await sees(jun, 1)

        await keep_out_and_let_in(mina, jun, boss)
        await log_in(mina, "mina_k", NEW)
        await mina.go("/settings/delete")
        await submit(mina, password=NEW)
        await sees(jun, 0)
        await jun.page.reload()
        await sees(jun, 0)
