"""What tests of addresses do: sign up, change an address, follow a link, look at the row."""

from typing import Any

from sqlalchemy import select

from microblog.database import Database
from microblog.models import User
from tests.people import PASSWORD, Browser

ACCOUNT = "/settings/account"
LINK = "/auth/confirm_address/"


async def sign_up(browser: Browser, username: str = "mina", **how: Any) -> None:
    account = {"username": username, "email": f"{username}@example.org"}
    fields = account | {"password": PASSWORD, "password2": PASSWORD}
    answer = await browser.post("/auth/register", fields, page="/auth/register", **how)
    assert answer.status_code == 303


async def change(browser: Browser, email: str, password: str = PASSWORD) -> Any:
    return await browser.post(ACCOUNT, {"email": email, "password": password}, page=ACCOUNT)


async def confirm(browser: Browser, path: str) -> int:
    return int((await browser.post(path)).status_code)


async def address(database: Database, username: str = "mina") -> tuple[str, str, bool]:
    """Return a person's address, its folded form, and whether it is proved."""
    async with database.read() as read:
        user = await read.scalar(select(User).where(User.username_key == username))
    return user.email, user.email_key, user.email_confirmed_at is not None
