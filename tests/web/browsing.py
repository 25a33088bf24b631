"""What tests do in a page and at the door: read fields, log in, come from elsewhere, count work."""

import html
import re
from typing import Any

import bcrypt
import pytest
from sqlalchemy import select

from microblog.core import passwords
from microblog.database import Database
from microblog.models import Post
from tests.people import PASSWORD, Browser

LOGIN = "/auth/login"


async def log_in(
    browser: Browser, username: str = "mina", password: str = PASSWORD, **how: Any
) -> Any:
    """Send the log-in form; `remember_me="y"` and other fields in `more`."""
    form = {"username": username, "password": password} | how.pop("more", {})
    return await browser.post(LOGIN, form, page=LOGIN, **how)


async def ask(browser: Browser, method: str, path: str, **how: Any) -> Any:
    """Send a request by any method."""
    client: Any = browser.client
    return await client.open(path, method=method, **how)


async def viewer(browser: Browser) -> str:
    """Return the id of who a page is made for; empty for nobody."""
    found = re.search(r'data-viewer="(\d*)"', await browser.text("/"))
    assert found
    return found[1]


def peer(address: str) -> dict[str, Any]:
    """Make a request come from an address."""
    return {"scope_base": {"client": (address, 40_000)}}


async def bodies(database: Database) -> list[str]:
    """Return the texts of all posts, oldest first."""
    async with database.read() as read:
        return list(await read.scalars(select(Post.body).order_by(Post.id)))


def written(page: str) -> str:
    """Return what stands in the form for a new post."""
    found = re.search(r'<textarea id="compose"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found, "the page has no form for a new post"
    return html.unescape(found[1])


def hidden(page: str, name: str) -> str:
    """Return the value of the first hidden field of a name."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, f"the page has no field {name}"
    return html.unescape(found[1])


class Work:
    """Counts the bcrypt work that is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.compared = 0
        self.hashed = 0
        compare, make = bcrypt.checkpw, bcrypt.hashpw

        def checkpw(password: bytes, hashed: bytes) -> bool:
            self.compared += 1
            return compare(password, hashed)

        def hashpw(password: bytes, salt: bytes) -> bytes:
            self.hashed += 1
            return make(password, salt)

        passwords.dummy_hash(4)
        monkeypatch.setattr(bcrypt, "checkpw", checkpw)
        monkeypatch.setattr(bcrypt, "hashpw", hashpw)

    @property
    def done(self) -> tuple[int, int]:
        """How often a password was compared, and how often one was hashed."""
        return self.compared, self.hashed
