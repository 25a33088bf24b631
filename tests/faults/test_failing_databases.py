"""R4, R5, R6: the database is locked, stands still, is killed, or is being copied under load.

`LONG=1 uv run pytest -m "R4 or R5 or R6"` runs the long forms.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from tests import forms
from tests.crowd import Crowd, gathered, is_stored
from tests.faults.conftest import on_all, on_servers
from tests.faults.sites import SERVERS, Site

LOCKED_SECONDS = forms.of(6.5, 8.0)
STILL_SECONDS = forms.of(6.5, 10.0)
PATIENCE_SECONDS = 6.0  # five, and the way there and back
BACK_SECONDS = 2.0
KILLS = forms.of(2, 5)
POOL_SECONDS = 5.0
COPIED_SECONDS = forms.of(3.0, 60.0)
LAST_SECONDS = forms.of(1.0, 10.0)


async def check(site: Site, crowd: Crowd) -> None:
    """Nothing that was acknowledged is lost, missed, or there twice."""
    assert crowd.missed() == 0
    assert crowd.doubled() == 0
    assert len(set(crowd.acknowledged)) == len(crowd.acknowledged)
    assert await is_stored(site.server, crowd.acknowledged)
    assert await site.doubled_posts() == []


# --- Locked ------------------------------------------------------------------------------------


@on_all
@pytest.mark.R5
async def test_locked_database_refuses_after_five_seconds_and_comes_back(own_site: Site) -> None:
    async with gathered([own_site.server], posts_a_second=20, timeout_seconds=20) as crowd:
        await crowd.acknowledgement(10)
        async with own_site.locked():
            await asyncio.sleep(0.2)
            count, began = len(crowd.acknowledged), time.monotonic()
            while not crowd.answers[503]:
                assert time.monotonic() - began < forms.at_most(PATIENCE_SECONDS)
                await asyncio.sleep(0.02)
            refused = time.monotonic() - began
            await asyncio.sleep(max(0.0, LOCKED_SECONDS - refused))
            assert len(crowd.acknowledged) == count, "nobody can have written"
        back = await crowd.acknowledgement(10)
        await crowd.settle()
    print(f"{own_site.setup}: first 503 after {refused:.2f} s, back after {back:.2f} s")
    print(crowd.answers)
    assert set(crowd.answers) == {201, 503}
    assert crowd.connections == len(crowd.readers), "no socket was closed"
    assert back <= forms.at_most(BACK_SECONDS)
    await check(own_site, crowd)


# --- Standing still ----------------------------------------------------------------------------


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


@pytest.mark.R5
async def test_database_that_stands_still_is_waited_for_and_nothing_is_written_twice(
    own_servers: Site,
) -> None:
    postgres = own_servers.postgres
    assert postgres is not None
    assert postgres.process is not None
    async with gathered([own_servers.server], posts_a_second=20, timeout_seconds=20) as crowd:
        await crowd.acknowledgement(10)
        frozen = family(postgres.process.pid)
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            await asyncio.sleep(STILL_SECONDS)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        still = time.monotonic() - began
        back = await crowd.acknowledgement(20)
        await crowd.settle()
    print(f"stood still for {still:.1f} s, back after {back:.2f} s; {crowd.answers}")
    assert set(crowd.answers) <= {201, 503}
    assert crowd.connections == len(crowd.readers), "no socket was closed"
    assert back <= forms.at_most(BACK_SECONDS)
    await check(own_servers, crowd)


# --- Killed ------------------------------------------------------------------------------------


@pytest.mark.R6
@pytest.mark.limit(240)
async def test_killed_database_loses_nothing_and_is_found_again(own_servers: Site) -> None:
    postgres = own_servers.postgres
    assert postgres is not None
    back = []
    async with gathered([own_servers.server], posts_a_second=20, timeout_seconds=20) as crowd:
        for _ in range(KILLS):
            await crowd.acknowledgement(20)
            await asyncio.sleep(1)
            await asyncio.to_thread(postgres.kill)
            await asyncio.sleep(1)
            await asyncio.to_thread(postgres.start)
            back.append(await crowd.acknowledgement(30))
        await crowd.settle()
    print(f"back after {', '.join(f'{one:.2f}' for one in back)} s; {crowd.answers}")
    assert set(crowd.answers) <= {201, 503}
    assert crowd.connections == len(crowd.readers), "no socket was closed"
    assert max(back) <= forms.at_most(POOL_SECONDS)
    await check(own_servers, crowd)


# --- Being copied ------------------------------------------------------------------------------


@on_servers
@pytest.mark.R4
@pytest.mark.limit(280)
async def test_long_copy_of_the_database_slows_nobody(own_site: Site) -> None:
    """What `pg_dump` holds while it copies: a snapshot, and the rows that it has seen."""
    assert own_site.setup == SERVERS
    assert own_site.database_url is not None
    copying = await asyncpg.connect(own_site.database_url)
    try:
        async with gathered([own_site.server], posts_a_second=200) as crowd:
            await copying.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            before = await copying.fetchval("SELECT count(*) FROM post")
            first = await posted_in(crowd, LAST_SECONDS)
            await asyncio.sleep(COPIED_SECONDS - 2 * LAST_SECONDS)
            last = await posted_in(crowd, LAST_SECONDS)
            assert await copying.fetchval("SELECT count(*) FROM post") == before
            await crowd.settle()
    finally:
        await copying.close()
    print(f"{first} posts in the first {LAST_SECONDS:.0f} s, {last} in the last")
    assert set(crowd.answers) == {201}
    assert len(crowd.acknowledged) > 5
    assert last >= forms.of(0.0, 0.7) * first
    await check(own_site, crowd)


async def posted_in(crowd: Crowd, seconds: float) -> int:
    count = len(crowd.acknowledged)
    await asyncio.sleep(seconds)
    return len(crowd.acknowledged) - count
