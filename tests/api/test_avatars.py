"""One's own picture in the API, and what programs that listen hear of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from microblog.actions import avatars, usernames
from microblog.core.pictures import Squares
from microblog.database import Database
from microblog.models import Avatar, User
from microblog.settings import Settings
from tests import images
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import all_databases, both_databases
from tests.live.clients import listening
from tests.people import MakeUser, access_token
from tests.serving import Serving

ADDRESS = "/api/me/avatar"
DRAWN = "/user/mina/avatar.svg"
PNG = {"Content-Type": "image/png"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
FILE = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n%s\r\n--x--\r\n'


@both_databases
async def test_picture_is_put_and_deleted_as_often_as_one_likes(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await program(await make_user())
    ways: list[dict[str, Any]] = [
        {"headers": PNG, "data": images.picture("PNG")},
        {"headers": {"Content-Type": "image/jpeg"}, "data": images.picture("WEBP")},
        {"headers": FORM, "data": FILE % (b"avatar", images.picture("GIF", (90, 90)))},
    ]
    seen = set()
    for way in ways:
        person = await mina.json("PUT", ADDRESS, **way)
        assert person["email"] == "mina@example.org"
        seen.add(person["_links"]["avatar"])
        again = await mina.json("GET", "/api/users/mina")
        assert again["_links"]["avatar"] == person["_links"]["avatar"]
        got = await mina.call("GET", person["_links"]["avatar"])
        assert images.opened(await got.get_data()).size == (400, 400)  # type: ignore[arg-type]
    assert len(seen) == len(ways)
    for _ in range(2):
        await mina.json("DELETE", ADDRESS, status=204)
        assert (await mina.json("GET", "/api/users/mina"))["_links"]["avatar"] == DRAWN


@all_databases
async def test_pictures_that_come_at_once_leave_one(
    make_user: MakeUser, database: Database
) -> None:
    mina = await make_user()

    async def change(number: int) -> None:
        async with database.write() as tx:
            given = Squares(f"picture {number}", {96: b"small", 400: b"large"})
            await avatars.change(tx, mina, given, mina.last_seen)

    await asyncio.gather(*(change(number) for number in range(5)))
    async with database.read() as read:
        rows = (await read.execute(select(Avatar.size, Avatar.name).order_by(Avatar.size))).all()
        name = await read.scalar(select(User.avatar))
    assert [tuple(row) for row in rows] == [(96, name), (400, name)]


async def test_what_is_missing_or_no_picture_is_told(
    program: OpenProgram, stranger: Program, make_user: MakeUser
) -> None:
    mina = await program(await make_user())
    for data, headers in (
        (b"", PNG),
        (FILE % (b"other", images.picture()), FORM),
        (b"<svg/>", {"Content-Type": "image/svg+xml"}),
    ):
        told = await mina.problem("PUT", ADDRESS, 422, data=data, headers=headers)
        assert list(told["errors"]) == ["avatar"]
    await mina.problem("PUT", ADDRESS, 415, json={})
    for method in ("PUT", "DELETE"):
        await stranger.problem(method, ADDRESS, 401, headers=PNG)


async def test_everybody_who_listens_hears_of_another_username(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    """Any page may show the old one."""
    mina = await make_user("mina")
    async with listening(server.live_url) as stranger:
        async with database.write() as tx:
            await usernames.rename(tx, mina, "mina_k", datetime.now(UTC))
        assert (await stranger.item("user.profile"))["username"] == "mina_k"


async def test_everybody_who_listens_hears_of_a_picture_also_later(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    """Any page may show anybody: so it is told to strangers who listen to nothing too."""
    mina, june = await make_user(), await make_user("june")
    token = await access_token(database, settings, mina)
    mine = Program(server.app, token)
    async with listening(server.live_url) as stranger:
        epoch, cursor = stranger.epoch, stranger.cursor
        async with listening(server.live_url, topics="home", token=token) as own:
            sent = await mine.json("PUT", ADDRESS, headers=PNG, data=images.picture())
            for client in (stranger, own):
                heard = await client.item("user.profile")
                assert heard["_links"]["avatar"] == sent["_links"]["avatar"]
                assert "email" not in heard
    other = await access_token(database, settings, june)
    for topics in ("", "home", f"user:{mina.id}"):
        how: Any = {"since": cursor, "epoch": epoch, "token": other, "topics": topics}
        async with listening(server.live_url, **how) as late:
            heard = await late.item("user.profile")
            assert heard["_links"]["avatar"] == sent["_links"]["avatar"]
