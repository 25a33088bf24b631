"""Pictures that people give of themselves, in the pages: given, changed, taken away, refused."""

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from microblog.database import Database
from microblog.edge.limits import MOST_PICTURES
from microblog.models import Avatar, User
from microblog.settings import Settings
from tests import images
from tests.conftest import all_databases, both_databases
from tests.people import Browser, MakePost, MakeUser, Visit

GIVEN = re.compile(r"/user/mina/avatar/([0-9a-f]{16})-(96|400)\.webp")
DRAWN = "/user/mina/avatar.svg"


def parts(fields: dict[str, str], file: bytes | None, name: str = "me.png") -> dict[str, Any]:
    """Make a form in parts, as a browser sends it; without a file it sends an empty one."""
    told = [
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--x\r\nContent-Disposition: form-data; name="avatar"; filename="{name}"\r\n'
    told.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode())
    body = b"".join(told) + (file or b"") + b"\r\n--x--\r\n"
    return {"data": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


async def send(browser: Browser, file: bytes | None, **fields: str) -> Any:
    """Send the form of one's profile."""
    token = await browser.token("/edit_profile")
    name = "me.png" if file is not None else ""
    return await browser.client.post(
        "/edit_profile", **parts({"csrf_token": token} | fields, file, name)
    )


async def rows(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(Avatar)))


@all_databases
async def test_picture_is_given_shown_changed_and_taken_away(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user()
    await make_post(mina, "Hello")
    browser = await visit(mina)
    assert DRAWN in await browser.text("/user/mina")
    answer = await send(browser, images.picture("JPEG"), display_name="Mina", about_me="Hi")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/user/mina")
    page = await browser.text("/user/mina")
    assert {size for _, size in GIVEN.findall(page)} == {"96", "400"}
    assert DRAWN not in page
    first = GIVEN.findall(page)[0][0]
    for size in (96, 400):
        got = await browser.get(f"/user/mina/avatar/{first}-{size}.webp")
        assert images.opened(await got.get_data()).size == (size, size)
    await send(browser, images.picture("PNG", (300, 700)), display_name="Mina")
    page = await browser.text("/explore")
    assert first not in page
    assert await rows(database) == 2
    await send(browser, None, display_name="Mina", remove_avatar="y")
    assert DRAWN in await browser.text("/explore")
    assert await rows(database) == 0


async def test_profile_is_saved_without_a_picture_and_keeps_the_one_there_is(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    await send(browser, images.picture())
    answer = await send(browser, None, display_name="Mina Kim", about_me="Seoul")
    assert answer.status_code == 303
    page = await browser.text("/user/mina")
    assert "Mina Kim" in page
    assert GIVEN.search(page)
    plain = await browser.post("/edit_profile", {"display_name": "Mina", "about_me": ""})
    assert plain.status_code == 303
    assert GIVEN.search(await browser.text("/user/mina"))


async def test_address_of_a_picture_holds_for_ever_and_an_old_one_leads_on(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    await send(browser, images.picture())
    found = GIVEN.search(await browser.text("/user/mina"))
    assert found
    got = await browser.get(found[0])
    assert got.headers["Content-Type"] == "image/webp"
    assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in got.headers
    await send(browser, images.picture("GIF", (50, 90)))
    old = await browser.get(found[0])
    assert old.status_code == 302
    assert GIVEN.fullmatch(old.headers["Location"])
    await send(browser, None, remove_avatar="y")
    assert (await browser.get(found[0])).headers["Location"] == DRAWN
    for path in ("0123456789abcdef-97.webp", "0123456789abcdef-96.png", "x.webp"):
        assert (await browser.get(f"/user/mina/avatar/{path}")).status_code == 404
    assert (await browser.get("/user/nobody/avatar/0123456789abcdef-96.webp")).status_code == 404


@both_databases
@pytest.mark.S18
async def test_what_is_no_picture_is_refused_in_words_and_what_was_typed_is_kept(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    answer = await send(browser, images.hostile()["SVG"], display_name="Mina", about_me="Typed")
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "Send a PNG, JPEG, WebP, GIF or AVIF file." in page
    assert "Typed" in page
    assert 'aria-describedby="avatar-error avatar-hint"' in page
    broken = await send(browser, images.picture()[:200], about_me="x" * 501)
    assert broken.status_code == 400
    empty = await send(browser, b"")
    assert "Send a PNG, JPEG, WebP, GIF or AVIF file." in await empty.get_data(as_text=True)
    assert await rows(database) == 0
    async with database.read() as read:
        assert await read.scalar(select(User.about_me)) == ""


async def test_picture_is_refused_after_too_many(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user())
    statuses = [(await send(browser, b"x")).status_code for _ in range(MOST_PICTURES + 1)]
    assert statuses == [400] * MOST_PICTURES + [429]


async def test_stale_page_gives_nobody_a_picture(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    answer = await browser.client.post("/edit_profile", **parts({}, images.picture()))
    assert answer.status_code == 403
    stranger = await visit()
    form = parts({"csrf_token": await stranger.token()}, images.picture())
    answer = await stranger.client.post("/edit_profile", **form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login")
    assert await rows(database) == 0


class TestAmongMembers:
    """Where only members may read, pictures are theirs too."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, members_only=True)

    async def test_picture_is_for_members(self, visit: Visit, make_user: MakeUser) -> None:
        browser = await visit(await make_user())
        await send(browser, images.picture())
        found = GIVEN.search(await browser.text("/user/mina"))
        assert found
        got = await browser.get(found[0])
        assert got.headers["Cache-Control"].startswith("private")
        assert (await (await visit()).get(found[0])).status_code == 303
