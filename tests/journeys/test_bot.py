"""The bot in `examples/`, run as its readers run it: it answers each mention once, and no loop."""

import asyncio
import contextlib
import json
import runpy
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from microblog.database import Database
from microblog.models import RefreshToken
from microblog.settings import Settings
from tests.crowd import ROOM, another_token, token_of
from tests.people import PASSWORD, MakePost, MakeUser
from tests.services import AppServer, clean_environment
from tests.serving import Serving, serving

PROGRAM = Path(__file__).parents[2] / "examples" / "bot.py"
LIFE_SECONDS = 2
PATIENCE_SECONDS = 100  # it pauses ever longer while a slow machine starts its server


@dataclass
class Bot:
    """The program as a process, and what it prints."""

    process: asyncio.subprocess.Process

    async def says(self, beginning: str) -> str:
        """Wait for a line that begins so; return the rest of it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await self.process.stdout.readline()).decode():
                if line.startswith(beginning):
                    return line.removeprefix(beginning).strip()
        raise EOFError("the bot has ended")

    async def has_answered(self, post_id: str) -> str:
        """Wait until it has answered a post; return the status of that."""
        return await self.says(f"answered {post_id}: ")

    async def stop(self) -> int:
        """Ask for its end, as a service manager does, and return its exit status."""
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)


@asynccontextmanager
async def running(
    url: str, folder: Path, name: str, password: str = PASSWORD
) -> AsyncIterator[Bot]:
    """Run a bot, which keeps its place in a folder, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), url, name),
        cwd=folder,
        env={**clean_environment(), "BOT_PASSWORD": password},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Bot(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@dataclass
class Person:
    """Somebody who talks to a bot."""

    url: str
    token: str

    async def call(self, method: str, path: str, **how: Any) -> Any:
        """Call the API and return what it says."""
        headers = {"Authorization": f"Bearer {self.token}"} | how.pop("headers", {})
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False) as http:
            answer = (await http.request(method, path, **how)).raise_for_status()
        return answer.json() if answer.content else None

    async def write(self, body: str, reply_to: str | None = None, key: str | None = None) -> str:
        """Publish a post and return its id."""
        headers = {"Idempotency-Key": key} if key else {}
        words = {"body": body} | ({"reply_to": reply_to} if reply_to else {})
        made = await self.call("POST", "/api/posts", json=words, headers=headers)
        return str(made["id"])

    async def replies(self, post_id: str) -> list[tuple[str, str]]:
        """Return who answered a post, and the ids of the answers."""
        page = await self.call("GET", f"/api/posts/{post_id}/replies")
        return [(each["author"]["username"], each["id"]) for each in page["items"]]


@pytest.mark.limit(240)
async def test_bot_answers_each_mention_once_though_the_server_is_killed(tmp_path: Path) -> None:
    with AppServer(ROOM) as server:
        mina = Person(server.url, await token_of(server, "mina"))
        await token_of(server, "ada")
        async with running(server.url, tmp_path, "ada") as bot:
            await bot.says("listening")
            began = (tmp_path / "ada.json").read_text()
            first = await mina.write("@ada are you there?")
            assert await bot.has_answered(first) == "201"
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            missed = [await mina.write(f"@ada number {number}") for number in range(3)]
            for post_id in missed:
                assert await bot.has_answered(post_id) == "201"
            assert await bot.stop() == 0
        away = await mina.write("@ada while it was away")
        # It ended before it could note where it was, just after an answer; and is told all again.
        (tmp_path / "ada.json").write_text(began)
        ada = Person(server.url, await another_token(server, "ada"))
        assert len((await ada.call("GET", "/api/tokens"))["items"]) == 2  # it gave its own back
        own = await ada.write(said_to("@ada while it was away"), away, f"answer-to-{away}")
        async with running(server.url, tmp_path, "ada") as bot:
            assert await bot.has_answered(away) == "201"
            last = await mina.write("@ada and at last")
            assert await bot.has_answered(last) == "201"
            assert await bot.stop() == 0
        for post_id in (first, *missed, last):
            assert [name for name, _ in await mina.replies(post_id)] == ["ada"]
        assert await mina.replies(away) == [("ada", own)]


def said_to(body: str) -> str:
    """Return what the bot answers."""
    return str(runpy.run_path(str(PROGRAM), run_name="bot")["answer"]({"body": body}))


async def people(server: Serving, make_user: MakeUser, *names: str) -> list[Person]:
    """Sign somebody up for each name, and in."""
    found = []
    for name in names:
        await make_user(name)
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            answer = await http.post("/api/tokens", auth=(name, PASSWORD))
        found.append(Person(server.url, answer.json()["token"]))
    return found


async def test_two_bots_that_are_both_mentioned_fall_silent(
    server: Serving, make_user: MakeUser, tmp_path: Path
) -> None:
    mina, ada, _ = await people(server, make_user, "mina", "ada", "bert")
    async with (
        running(server.url, tmp_path, "ada") as one,
        running(server.url, tmp_path, "bert") as two,
    ):
        await asyncio.gather(one.says("listening"), two.says("listening"))
        both = await mina.write("@ada meet @bert")
        await asyncio.gather(one.has_answered(both), two.has_answered(both))
        answers = dict(await mina.replies(both))
        assert answers.keys() == {"ada", "bert"}
        thanks = await mina.write("@ada thank you", answers["ada"])
        alone = await ada.write("@ada speaks of herself")
        last = await mina.write("@bert and @ada, at last")
        await asyncio.gather(one.has_answered(last), two.has_answered(last))
        # What was written before it was looked at before it.
        for post_id in (thanks, alone, answers["bert"]):
            assert await mina.replies(post_id) == []
        assert await mina.replies(answers["ada"]) == [("mina", thanks)]


async def test_bot_with_a_lost_place_answers_what_is_unread(
    server: Serving, make_user: MakeUser, tmp_path: Path
) -> None:
    mina, _ = await people(server, make_user, "mina", "ada")
    mentions = [await mina.write(f"@ada number {number}") for number in range(2)]
    place = {"since": "1", "epoch": "of another time"}
    (tmp_path / "ada.json").write_text(json.dumps(place))
    async with running(server.url, tmp_path, "ada") as bot:
        for post_id in mentions:
            assert await bot.has_answered(post_id) == "201"
        assert await bot.stop() == 0
    assert [len(await mina.replies(post_id)) for post_id in mentions] == [1, 1]


async def test_bot_whose_token_has_expired_takes_another(
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    tmp_path: Path,
) -> None:
    mina, _ = await make_user("mina"), await make_user("ada")
    async with (
        serving(replace(settings, access_token_seconds=LIFE_SECONDS)) as server,
        running(server.url, tmp_path, "ada") as bot,
    ):
        database.ring = server.runtime.bell.ring
        await bot.says("listening")
        await asyncio.sleep(LIFE_SECONDS)  # its token was made before
        post = await make_post(mina, "@ada?")
        assert await bot.has_answered(str(post.id)) == "201"
        async with database.read() as read:
            spent = RefreshToken.spent_at.is_not(None)
            assert await read.scalar(select(func.count()).where(spent))


async def test_bot_with_a_wrong_password_says_so_and_ends(
    server: Serving, make_user: MakeUser, tmp_path: Path
) -> None:
    await make_user("ada")
    async with running(server.url, tmp_path, "ada", "not hers at all") as bot:
        with pytest.raises(EOFError):
            await bot.says("listening")
        assert await bot.process.wait() == 1
