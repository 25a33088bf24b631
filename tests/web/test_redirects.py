"""Where the forms send people afterwards: never to another site, whatever `next` says."""

import html
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from microblog.settings import Settings
from tests.conftest import both_databases
from tests.people import PASSWORD, Browser, MakePost, MakeUser, Visit

pytestmark = [pytest.mark.S9, both_databases]

TRICKS = [
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE/",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http://localhost@evil.example",
    "http://localhost.evil.example/",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example",
    "///evil.example",
    "////evil.example/x",
    "//localhost@evil.example",
    "//evil.example%2f..",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "/\x00/evil.example",
    " //evil.example",
    "/ /evil.example",
    "/x\r\nLocation: https://evil.example",
    "/x\r\nSet-Cookie: session=evil",
    "/x%0d%0aLocation:%20https://evil.example",
    "/%2f/evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%255cevil.example",
    "/%09/evil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e%2e//evil.example",
    "/／evil.example",
    "／／evil.example",
    "/\u200b/evil.example",
    "/\u3000/evil.example",
    "/%e3%80%80/evil.example",
    "evil.example",
    "?next=https://evil.example",
    "#https://evil.example",
    "@evil.example",
    ":evil.example",
    "..//evil.example",
    "/\udcff/evil.example".encode("utf-8", "surrogateescape").decode("latin1"),
    "/" + "a" * 5000,
]
GOOD = ["/explore", "/user/mina?before=3#top", "/tag/한글", "/search?q=https://example.org/"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, login_tries=1000, sign_ups_per_hour=1000, posts_per_minute=1000)


def leads_home(location: str) -> bool:
    """Tell whether a browser at http://localhost/ would stay there (WHATWG URL, 4.4)."""
    seen = re.sub(r"[\t\r\n]", "", location.strip(" \x00\x01")).replace("\\", "/")
    parts = urlsplit(urljoin("http://localhost/x", seen))
    return (parts.scheme, parts.netloc) == ("http", "localhost") and seen[:1] == "/"


def check(answer: Any, payload: str) -> None:
    """Check that an answer leads on, and stays here."""
    assert answer.status_code == 303, (payload, answer.status)
    location = answer.headers["Location"]
    assert leads_home(location), (payload, location)
    assert not location.startswith(("//", "/\\")), (payload, location)
    assert all("evil" not in line for line in answer.headers.getlist("Set-Cookie"))


def field(page: str, name: str) -> str:
    """Return what a hidden field of a page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


async def test_log_in_stays_on_this_site(visit: Visit, make_user: MakeUser) -> None:
    await make_user()
    for payload in TRICKS:
        form = {"username": "mina", "password": PASSWORD, "next": payload}
        check(await (await visit()).post("/auth/login", form), payload)


async def test_link_to_the_log_in_cannot_carry_a_trick(visit: Visit, make_user: MakeUser) -> None:
    await make_user()
    for payload in TRICKS:
        browser = await visit()
        answer = await browser.client.get("/auth/login", query_string={"next": payload})
        wanted = field(await answer.get_data(as_text=True), "next")
        assert wanted == "" or leads_home(wanted), payload
        form = {"username": "mina", "password": PASSWORD, "next": wanted}
        check(await browser.post("/auth/login", form), payload)


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
async def test_who_is_signed_in_already_is_sent_on_within_this_site(
    visit: Visit, make_user: MakeUser, path: str
) -> None:
    browser = await visit(await make_user())
    for payload in TRICKS:
        check(await browser.client.get(path, query_string={"next": payload}), payload)
    for good in GOOD[:2]:
        answer = await browser.client.get(path, query_string={"next": good})
        assert answer.headers["Location"] == good


async def test_sign_up_stays_on_this_site(visit: Visit) -> None:
    for number, payload in enumerate(TRICKS):
        name = f"person{number}"
        form = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        form |= {"password2": PASSWORD, "next": payload}
        check(await (await visit()).post("/auth/register", form), payload)


async def every_answer(browser: Browser, payload: str, post_id: int) -> list[Any]:
    """Send each form of the small buttons, and the one for a post, with one `next`."""
    token = await browser.token()
    forms = {
        "/posts": {"post": "Hello"},
        "/settings/appearance": {"theme": "dark"},
        "/follow/bora": {},
        "/unfollow/bora": {},
        f"/post/{post_id}/delete": {},
    }
    return [
        await browser.client.post(path, form=form | {"csrf_token": token, "next": payload})
        for path, form in forms.items()
    ]


async def test_posts_appearance_follows_and_deletions_stay_on_this_site(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, _bora = await make_user("mina"), await make_user("bora")
    browser = await visit(mina)
    for payload in TRICKS:
        post = await make_post(mina)
        for answer in await every_answer(browser, payload, post.id):
            check(answer, payload)


async def test_path_of_this_site_is_where_they_lead(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, _bora = await make_user("mina"), await make_user("bora")
    browser = await visit(mina)
    for good in GOOD:
        post = await make_post(mina)
        for answer in await every_answer(browser, good, post.id):
            assert unquote(answer.headers["Location"]) == good


async def test_doubled_slash_in_an_address_is_no_way_out(visit: Visit) -> None:
    client = (await visit()).client
    for path in ("//evil.example", "//evil.example/..", "/\\evil.example", "//explore"):
        answer = await client.get("/", scope_base={"path": path, "raw_path": path.encode()})
        assert answer.status_code in {200, 404, 308}, path
        assert leads_home(urlsplit(answer.headers.get("Location", "/")).path or "/"), path
        assert "evil" not in (urlsplit(answer.headers.get("Location", "/")).netloc or ""), path
