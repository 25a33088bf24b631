"""Somebody signs up, confirms their address and forgets their password, in a real browser."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.conftest import require
from tests.journeys.browsing import PASSWORD, Person, chromium, person
from tests.mailboxes import MailServer, text_of
from tests.services import AppServer

NEW = "quite another sentence"
TEXTS = {
    "en": {
        "unconfirmed": "Please confirm your e-mail address.",
        "confirmed": "Your address is confirmed. Thank you.",
        "ended": "You have been signed out.",
        "changed": "You have a new password. Log in with it.",
        "over": "This link is over",
    },
    "ko": {
        "unconfirmed": "이메일 주소를 확인해 주세요.",
        "confirmed": "주소를 확인했습니다. 고맙습니다.",
        "ended": "로그아웃되었습니다.",
        "changed": "새 비밀번호를 저장했습니다. 새 비밀번호로 로그인하세요.",
        "over": "더 이상 쓸 수 없는 링크입니다",
    },
}


@pytest.fixture
async def place(sink: MailServer) -> AsyncIterator[AppServer]:
    """A server that sends its mail to the sink."""
    require("chromium")
    server = AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"})
    server.env |= {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(sink.port)}
    server.env |= {"MAIL_FROM": "blog@example.org", "MICROBLOG_PUBLIC_URL": server.url}
    try:
        yield await asyncio.to_thread(server.start)
    finally:
        server.close()


async def link(sink: MailServer, number: int, start: str) -> str:
    """Return the path of the link in a mail, the first mail being number 0."""
    words = text_of(await sink.next(number)).split()
    (found,) = [word for word in words if start in word]
    return start + found.partition(start)[2]


async def confirmed(laptop: Person, phone: Person, sink: MailServer, texts: dict[str, str]) -> None:
    """Sign up on a laptop, and confirm the address on a phone."""
    await laptop.sign_up("mina")
    await expect(laptop.page.locator("main")).to_contain_text(texts["unconfirmed"])
    await phone.go(await link(sink, 0, "/auth/confirm_address/"))
    await phone.page.click("main form button[type=submit]")
    await expect(phone.page.locator(".flash")).to_have_text(texts["confirmed"])
    await laptop.go("/")
    await expect(laptop.page.locator(".flash")).to_have_count(0)


async def reset(phone: Person, sink: MailServer) -> str:
    """Ask for a link and follow it; return its path."""
    await phone.go("/auth/login")
    await phone.page.click('main a[href="/auth/reset_password_request"]')
    await phone.page.fill("[name=email]", "mina@example.org")
    await phone.page.click("main form button[type=submit]")
    path = await link(sink, 1, "/auth/reset_password/")
    await phone.go(path)
    for name in ("password", "password2"):
        await phone.page.fill(f"[name={name}]", NEW)
    await phone.page.click("main form button[type=submit]")
    return path


@pytest.mark.parametrize("code", ["en", "ko"])
async def test_from_the_sign_up_to_a_new_password(
    place: AppServer, sink: MailServer, code: str
) -> None:
    texts = TEXTS[code]
    async with (
        chromium() as browser,
        person(browser, place.url, locale=code) as laptop,
        person(browser, place.url, locale=code) as phone,
    ):
        await confirmed(laptop, phone, sink, texts)
        await laptop.is_live()
        path = await reset(phone, sink)
        await expect(phone.page.locator(".flash")).to_have_text(texts["changed"])
        await expect(laptop.page.locator("#toasts")).to_contain_text(texts["ended"])
        await phone.page.fill("[name=username]", "mina@example.org")
        await phone.page.fill("[name=password]", NEW)
        await phone.page.click("main form button[type=submit]")
        await expect(phone.page.locator("[name=post]")).to_be_visible()
        assert laptop.errors == []
        await laptop.go(path)
        await expect(laptop.page.locator("h1")).to_have_text(texts["over"])
        await laptop.go("/auth/login")
        await laptop.page.fill("[name=username]", "mina")
        await laptop.page.fill("[name=password]", PASSWORD)
        await laptop.page.click("main form button[type=submit]")
        await expect(laptop.page.locator(".flash-danger")).to_be_visible()
        refusals = [text for text in laptop.errors if "404" in text or "401" in text]
        assert laptop.errors == refusals, "the browser notes the status of a refusal"
        laptop.errors.clear()
