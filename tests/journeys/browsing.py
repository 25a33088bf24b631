"""People in real browsers: Chromium, driven over the product's own pages."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

PASSWORD = "a long enough sentence"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Open Debian's Chromium until the block ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=QUIET
        )
        try:
            yield browser
        finally:
            await browser.close()


class Person:
    """Somebody with a browser of their own, and what went wrong in it."""

    def __init__(self, context: BrowserContext, page: Page, url: str) -> None:
        self.context = context
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._note(said.type, said.text))

    def _note(self, kind: str, text: str) -> None:
        # A server that is down is what some journeys are about.
        if kind == "error" and "net::ERR" not in text and "WebSocket" not in text:
            self.errors.append(text)

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.url}{path}")

    async def sign_up(self, username: str) -> None:
        await self.go("/auth/register")
        await self.page.fill("[name=username]", username)
        await self.page.fill("[name=email]", f"{username}@example.org")
        await self.page.fill("[name=password]", PASSWORD)
        await self.page.fill("[name=password2]", PASSWORD)
        await self.page.click("main form button[type=submit]")
        await expect(self.page.locator("[name=post]")).to_be_visible()

    async def write(self, text: str) -> None:
        """Write a post on home and wait until it stands there."""
        await self.page.fill("[name=post]", text)
        await self.page.click("#compose-form button[type=submit]")
        # The first post of a process waits for the model that guesses its language.
        await expect(self.post(text)).to_have_count(1, timeout=20_000)

    def post(self, text: str) -> Any:
        """Return the posts with a text, on the page that is open."""
        return self.page.locator(".feed-item", has_text=text)

    async def is_live(self) -> None:
        """Wait until the page says that its connection is open."""
        await expect(self.page.locator("#live-mark")).to_have_attribute(
            "data-state", "connected", timeout=20_000
        )


@asynccontextmanager
async def person(browser: Browser, url: str, **how: Any) -> AsyncIterator[Person]:
    """Give somebody a browser; afterwards nothing may have gone wrong in it."""
    context = await browser.new_context(**how)
    someone = Person(context, await context.new_page(), url)
    try:
        yield someone
        assert someone.errors == []
    finally:
        await context.close()
