"""Passwords at their limits, through the real sign-up and log-in."""

from dataclasses import replace
from urllib.parse import quote, quote_from_bytes

import pytest

from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import Browser, Visit

pytestmark = pytest.mark.S16

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, login_tries=100, sign_ups_per_hour=100)


async def send(browser: Browser, path: str, password: bytes) -> tuple[int, str]:
    """Send a form with exactly these bytes as password; return the status and the page."""
    one = quote_from_bytes(password)
    token = quote(await browser.token(path))
    body = f"csrf_token={token}&username=mina&email=mina%40example.org&password={one}"
    answer = await browser.client.post(path, data=f"{body}&password2={one}", headers=FORM)
    return answer.status_code, await answer.get_data(as_text=True)


TAKEN = {
    "64 Hangul": ("한" * 63 + "글", "한" * 63 + "굴"),
    "72 bytes": ("x" * 72, "x" * 71 + "y"),
    "73 bytes": ("x" * 73, "x" * 72 + "y"),
    "past bcrypt's end": ("x" * 72 + "a", "x" * 72 + "b"),
    "1024 bytes": ("x" * 1024, "x" * 1023 + "y"),
    "1024 bytes of Hangul": ("한" * 341 + "x", "한" * 341 + "y"),
    "NUL within": ("before\0after", "before\0later"),
    "NUL at the end": ("eight of\0", "eight of"),
    "NUL alone": ("\0" * 8, "\0" * 9),
    "emoji": ("👩‍👩‍👧‍👦" * 5 + "🙂", "👩‍👩‍👧‍👦" * 5 + "🙃"),
    "spaces": (" " * 8 + "x" + " ", " " * 8 + "x"),
    "line ends": ("one\ntwo\nthree", "one\ntwo\nthrae"),
}


@both_databases
@pytest.mark.parametrize(("password", "other"), TAKEN.values(), ids=TAKEN.keys())
async def test_password_opens_and_its_last_byte_matters(
    visit: Visit, password: str, other: str
) -> None:
    assert (await send(await visit(), "/auth/register", password.encode()))[0] == 303
    assert (await send(await visit(), "/auth/login", other.encode()))[0] == 401
    assert (await send(await visit(), "/auth/login", password.encode()))[0] == 303


REFUSED = {
    "1025 bytes": b"x" * 1025,
    "1025 bytes of Hangul": "한".encode() * 341 + b"xy",
    "7 Hangul": "한".encode() * 7,
    "100 kB": b"x" * 100_000,
    "empty": b"",
    "common": b"password1",
    "the name": b"MINA",
}


@pytest.mark.parametrize("password", REFUSED.values(), ids=REFUSED.keys())
async def test_password_that_is_not_taken_is_refused_beside_its_field(
    visit: Visit, password: bytes
) -> None:
    status, page = await send(await visit(), "/auth/register", password)
    assert status == 400
    assert 'id="password-error"' in page
    assert 'value="mina"' in page
    assert (await send(await visit(), "/auth/login", password))[0] == 401


BROKEN = [
    b"lone surrogate \xed\xa0\x80",
    b"\xed\xa0\x80" * 8,
    b"\xed\xa0\xbd\xed\xb8\x80 in halves",
    b"\xff" * 8,
    b"\xc0\x80 overlong NUL",
    b"\xf4\x90\x80\x80 beyond Unicode",
]


@both_databases
@pytest.mark.parametrize("password", BROKEN)
async def test_password_that_is_no_utf8_breaks_nothing(visit: Visit, password: bytes) -> None:
    status, _page = await send(await visit(), "/auth/register", password)
    assert status in {303, 400}
    again, _page = await send(await visit(), "/auth/login", password)
    assert again == (303 if status == 303 else 401)


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
async def test_password_is_in_no_page_that_shows_the_form_again(visit: Visit, path: str) -> None:
    secret = b"correct horse"
    browser = await visit()
    answer = await browser.post(
        path,
        {"username": "no such name", "email": "x", "password": "correct horse", "password2": "y"},
    )
    assert answer.status_code in {400, 401}
    assert secret not in await answer.get_data()
