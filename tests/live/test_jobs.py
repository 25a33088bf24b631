"""How far a job has come is told to its person, in every tab, and after a reconnect."""

import asyncio
import time
from dataclasses import dataclass
from typing import ClassVar

import pytest

from microblog.database import Database
from microblog.jobs import HANDLERS, work
from microblog.jobs.work import Handler, Job
from microblog.render.frames import HTML_FORM
from microblog.settings import Settings
from tests import forms
from tests.conftest import all_databases, both_databases
from tests.jobs.conftest import jobs_of
from tests.live.clients import LiveClient, listening
from tests.people import MakeUser, session_cookie
from tests.serving import Serving, serving


@dataclass(frozen=True, slots=True)
class Steps:
    """Go as far as the test lets it."""

    kind: ClassVar[str] = "steps"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[int]":
    """Let a job go on by one step for each percentage that is put in."""
    allowed: asyncio.Queue[int] = asyncio.Queue()

    async def go(job: Job, _task: Steps) -> None:
        while (percent := await allowed.get()) < 100:
            await job.progress(percent)

    monkeypatch.setitem(HANDLERS, Steps.kind, Handler(Steps, go))
    monkeypatch.setattr(work, "PROGRESS_SECONDS", 0.0)
    return allowed


async def told(client: LiveClient) -> tuple[str, int]:
    item = await client.item("job")
    return item["state"], item["progress"]


@both_databases
async def test_progress_is_told_in_two_tabs_to_its_person_alone(
    server: Serving, database: Database, make_user: MakeUser, steps: "asyncio.Queue[int]"
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    cookie = await session_cookie(database, server.app, mina)
    others = await session_cookie(database, server.app, june)
    async with (
        listening(server.live_url, cookie=cookie) as first,
        listening(server.live_url, cookie=cookie, form=HTML_FORM, query={"lang": "ko"}) as second,
        listening(server.live_url, cookie=others) as stranger,
    ):
        async with database.write() as tx:
            tx.enqueue(Steps(), user_id=mina.id)
        for tab in (first, second):
            assert await told(tab) == ("running", 0)
        await steps.put(40)
        assert await told(first) == ("running", 40)
        item = await second.item("job")
        assert (item["progress"], "40% 마쳤습니다" in item["html"]) == (40, True)
        await steps.put(100)
        for tab in (first, second):
            assert await told(tab) == ("done", 100)
        async with database.write() as tx:
            tx.enqueue(Steps(), user_id=june.id)
        assert await told(stranger) == ("running", 0)
        await steps.put(100)
        assert await told(stranger) == ("done", 100)
        assert len([item for item in stranger.items if item["kind"] == "job"]) == 2


@both_databases
async def test_client_that_was_away_is_told_how_far_it_is_now(
    server: Serving, database: Database, make_user: MakeUser, steps: "asyncio.Queue[int]"
) -> None:
    mina = await make_user("mina")
    cookie = await session_cookie(database, server.app, mina)
    async with listening(server.live_url, cookie=cookie) as client:
        async with database.write() as tx:
            tx.enqueue(Steps(), user_id=mina.id)
        assert await told(client) == ("running", 0)
    since = {"since": client.cursor, "epoch": client.epoch}
    async with listening(server.live_url, cookie=cookie) as other:
        for percent in (20, 70):
            await steps.put(percent)
            assert await told(other) == ("running", percent)
        async with listening(server.live_url, cookie=cookie, **since) as back:
            while (now := await told(back)) != ("running", 70):
                assert now[1] <= 70
            await steps.put(100)
            for tab in (other, back):
                assert await told(tab) == ("done", 100)


@all_databases
async def test_job_that_waits_for_a_worker_is_told_too(
    server: Serving, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    cookie = await session_cookie(database, server.app, mina)
    async with listening(server.live_url, cookie=cookie) as client:
        async with database.write() as tx:  # nobody knows how to do it
            tx.enqueue(Steps(), key="steps", user_id=mina.id)
        assert await told(client) == ("waiting", 0)


async def test_server_that_stops_gives_back_what_it_does(
    settings: Settings, database: Database, make_user: MakeUser, steps: "asyncio.Queue[int]"
) -> None:
    mina = await make_user("mina")
    async with serving(settings) as running:
        cookie = await session_cookie(database, running.app, mina)
        database.ring = running.runtime.bell.ring
        async with listening(running.live_url, cookie=cookie) as client:
            async with database.write() as tx:
                tx.enqueue(Steps(), user_id=mina.id)
            assert await told(client) == ("running", 0)
        began = time.monotonic()
    assert time.monotonic() - began < forms.at_most(5)
    (row,) = await jobs_of(database, Steps.kind)
    assert (row.state, row.attempt, row.claimed_by) == ("waiting", 0, None)
