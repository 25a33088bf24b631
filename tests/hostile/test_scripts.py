"""S8: hostile texts in every field, on every page, in Chromium: no script runs, nor tries to.

They are put past our own checks, into every column that holds a text of somebody's; and into every
field of every form, whose page then shows them with what is wrong about them.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Dialog, Page, expect
from sqlalchemy import Column, String, Table, Text, update

from microblog.actions import accounts, follows
from microblog.actions.accounts import NewAccount
from microblog.core.search_query import LONGEST_QUERY
from microblog.core.text import LONGEST_POST
from microblog.database import Database
from microblog.edge.headers import CONTENT_SECURITY_POLICY
from microblog.models import Model, User
from microblog.settings import Settings
from tests.conftest import require
from tests.hostile.asking import ways
from tests.hostile.scripts import ALL, FEW, MARK, PAYLOADS, chunks
from tests.journeys.browsing import chromium
from tests.people import PASSWORD, MakePost, MakeUser, hashed, session_cookie
from tests.serving import Serving
from tests.web.scene import Scene, set_up

pytestmark = pytest.mark.S8

# What only the program writes, in words of its own or by rules that leave no room for markup.
OURS = re.compile(
    r"id|.*_id|.*_key|key|kind|state|role|language|theme|visibility|question|avatar|epoch|email"
    r"|username|tag|purpose|.*hash|.*token.*|left_because|claimed_by|source|target|provider|context"
)
NO_PAGE = re.compile(r"/static/|\.\w+$|/(healthz|readyz)$")
FORMS = """() => [...document.forms].flatMap((form, number) =>
  form.method === 'post' && form.querySelector('textarea, input:not([type]), input[type=text],'
  + 'input[type=email], input[type=password]') ? [[number, form.action]] : [])"""
SEND = """([number, text]) => {
  const form = document.forms[number]
  for (const field of form.elements)
    if (field.name && field.name !== 'csrf_token' && 'value' in field && field.type !== 'file')
      field.value = text
  form.submit()
}"""


Forms = dict[str, tuple[str, int]]


@dataclass
class Reader:
    """Somebody with a browser, and what in it ran or tried to."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", self._dismiss)
        self.page.on("console", lambda said: self._note(said.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))

    async def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"{self.page.url}: a dialog: {dialog.message}")
        await dialog.dismiss()

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text or "Trusted" in text:
            self.faults.append(f"{self.page.url}: {text}")

    async def open(self, path: str) -> int:
        """Go to a page, look at it, and return its status."""
        answer = await self.page.goto(f"{self.url}{path}")
        await self.look()
        return answer.status if answer is not None else 0

    async def look(self) -> None:
        if await self.page.locator(MARK).count():
            self.faults.append(f"{self.page.url}: a text became markup")

    async def send(self, number: int, text: str) -> int:
        """Put a text into all fields of a form of this page, send it, look at what comes."""
        async with self.page.expect_navigation() as coming:
            await self.page.evaluate(SEND, [number, text])
        answer = await coming.value
        await self.look()
        return answer.status if answer is not None else 0


@asynccontextmanager
async def reader(
    browser: Browser, server: Serving, database: Database, user: User | None = None
) -> AsyncIterator[Reader]:
    context = await browser.new_context()
    if user is not None:
        value = await session_cookie(database, server.app, user)
        await context.add_cookies([{"name": "session", "value": value, "url": server.url}])
    try:
        yield Reader(await context.new_page(), server.url)
    finally:
        await context.close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    require("chromium")
    mail = {"mailer": "console", "public_url": None}
    many = {"posts_per_page": len(PAYLOADS), "posts_per_minute": 10**6, "jobs_concurrency": 0}
    return replace(settings, **mail, **many)


async def make_crowd(database: Database, mina: User) -> list[User]:
    """Make a person for each text, called and described by it, who follows Mina."""
    now, people = datetime.now(UTC), []
    async with database.write() as tx:
        for number, payload in enumerate(PAYLOADS):
            name = f"crowd_{number}"
            account = NewAccount(name, f"{name}@example.org", hashed(PASSWORD))
            user = await accounts.register(tx, account, now)
            said = {"display_name": payload, "about_me": payload}
            await tx.execute(update(User).where(User.id == user.id).values(**said))
            await follows.follow(tx, user, mina, now)
            people.append(user)
    return people


async def plant(database: Database) -> None:
    """Put all texts into every column of every row where a text of somebody's may stand."""
    async with database.write() as tx:
        for table in Model.metadata.sorted_tables:
            if found := [column.name for column in table.columns if _is_theirs(table, column)]:
                await tx.execute(update(table).values(dict.fromkeys(found, ALL)))


def _is_theirs(table: Table, column: Column[Any]) -> bool:
    free = isinstance(column.type, String | Text) and not OURS.fullmatch(column.name)
    return free and not (column.unique or column.primary_key or column.foreign_keys)


def pages(scene: Scene) -> Iterator[str]:
    """Return the address of every page there is."""
    for way in ways(scene.app):
        if way.method == "GET" and not way.is_api and not NO_PAGE.search(way.path):
            yield scene.address(way.rule)


async def walk(someone: Reader, paths: list[str]) -> tuple[list[str], Forms]:
    """Open pages; return which refuse, and the forms of all that take a text, by address."""
    refused, forms = [], {}
    for path in paths:
        status = await someone.open(path)
        assert status < 500, path
        if status >= 400:
            refused.append(path)
        for number, action in await someone.page.evaluate(FORMS):
            address = re.sub(r"\d+", "", action.removeprefix(someone.url))
            forms.setdefault(address, (path, number))
    return refused, forms


async def send_all(someone: Reader, forms: Forms) -> None:
    """Send forms full of all texts, and look at what comes."""
    for path, number in forms.values():
        await someone.page.goto(f"{someone.url}{path}")
        assert await someone.send(number, ALL) < 500, path


async def test_texts_of_others_never_become_scripts(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    scene = await set_up(server.app, database, make_user, make_post)
    ruth = await make_user("ruth", role="admin")
    await plant(database)
    crowd = await make_crowd(database, scene.mina)
    paths = list(pages(scene))
    async with (
        chromium() as browser,
        reader(browser, server, database, scene.mina) as mina,
        reader(browser, server, database, ruth) as admin,
        reader(browser, server, database) as nobody,
    ):
        await mina.open("/explore")
        await expect(mina.page.locator("#live-mark")).to_have_attribute(
            "data-state", "connected", timeout=20_000
        )
        for user, words in zip(crowd, chunks(PAYLOADS, LONGEST_POST - 100), strict=False):
            last = await make_post(user, f"{words}\n@mina")
        await expect(mina.page.locator(f"#post-{last.id}")).to_be_attached(timeout=20_000)
        await mina.look()
        refused, forms = await walk(mina, paths)
        doors = [path for path in paths if path.startswith(("/auth/", "/setup"))]
        still, _ = await walk(admin, refused)
        _, at_doors = await walk(nobody, doors)
        for words in chunks(FEW, LONGEST_QUERY):
            await mina.open(f"/search?{urlencode({'q': words})}")
        await send_all(mina, forms)
        await send_all(nobody, at_doors)
        faults = mina.faults + admin.faults + nobody.faults
    assert faults == []
    assert still == ["/setup"]  # there is an administrator
    assert {"/posts", "/edit_profile", "/auth/login"} <= forms.keys() | at_doors.keys()


POLICIES = {"": "a dialog", CONTENT_SECURITY_POLICY: "Content Security Policy"}


@pytest.mark.parametrize("policy", POLICIES, ids=["without a policy", "with ours"])
async def test_script_that_runs_and_one_that_is_held_back_are_found(
    server: Serving, database: Database, policy: str
) -> None:
    """The control: a page that shows texts as they are."""
    headers = {"Content-Type": "text/html", "Content-Security-Policy": policy}
    async with chromium() as browser, reader(browser, server, database) as victim:
        body = f"<!doctype html><title>x</title><{MARK}><img src=x onerror=alert(1)>"
        answer = {"status": 200, "headers": headers, "body": body}
        await victim.page.route("**/careless", lambda route: route.fulfill(**answer))
        await victim.open("/careless")
        faults = " ".join(victim.faults)
    assert "a text became markup" in faults
    assert POLICIES[policy] in faults
