"""A community moves to another database: clients come back to it and miss nothing of it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from microblog.database import Database, open_database
from microblog.settings import Settings
from tests.cli.conftest import Run, variables
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, session_cookie
from tests.services import Postgres
from tests.serving import serving


@pytest.mark.R12
async def test_client_of_a_community_that_moved_loads_anew_and_stays_signed_in(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    postgres_server: Postgres,
    tmp_path: Path,
) -> None:
    mina = await make_user()
    async with serving(settings) as old:
        await make_post(mina, "한글은 old")
        cookie = await session_cookie(database, old.app, mina)
        async with listening(old.live_url, topics="home", cookie=cookie) as client:
            known = {"since": client.cursor, "epoch": client.epoch}
    url = postgres_server.create_database()
    run = Run(variables(settings))
    await asyncio.to_thread(run.works, "db", "copy", "--to", url)
    moved = replace(settings, database_url=url)
    made = open_database(moved)
    async with serving(moved) as new:
        made.ring = new.runtime.bell.ring
        async with httpx.AsyncClient(base_url=new.url, cookies={"session": cookie}) as http:
            assert "<mark>한글</mark>은 old" in (await http.get("/search?q=한글")).text
            assert (await http.get("/messages")).status_code == 200
        async with listening(new.live_url, topics="home", cookie=cookie, query=known) as client:
            assert (await client.frame())["reason"] == "epoch"
            post = await MakePost(made)(mina, "new")
            assert (await client.item("post.published"))["id"] == str(post.id)
    await made.close()
    postgres_server.drop_database(url)
