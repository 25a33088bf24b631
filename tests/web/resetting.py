"""What tests of a forgotten password do: ask for a link, follow it, see which password opens."""

from typing import Any

from tests.mailboxes import (
    MailServer,
    path_in,
)
from tests.people import Browser, Visit
from tests.web.browsing import log_in

ASK = "/auth/reset_password_request"
LINK = "/auth/reset_password/"
NEW = "quite another sentence"


async def ask(browser: Browser, email: str = "mina@example.org", **how: Any) -> Any:
    return await browser.post(ASK, {"email": email}, page=ASK, **how)


async def choose(browser: Browser, path: str, password: str = NEW) -> int:
    """Send the form behind a link; return the status."""
    fields = {"password": password, "password2": password}
    answer = await browser.post(path, fields, page="/auth/login")
    return int(answer.status_code)


async def mailed_link(sink: MailServer, visit: Visit) -> str:
    """Ask for a link for Mina and return its path."""
    known = len(sink.mails)
    assert (await ask(await visit())).status_code == 303
    return path_in(await sink.next(known), LINK)


async def opens(visit: Visit, password: str) -> bool:
    return bool((await log_in(await visit(), password=password)).status_code == 303)
