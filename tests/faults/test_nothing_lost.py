"""R1: workers are killed while people post and read; nothing is lost, missed or shown twice.

The long form kills twenty times: `LONG=1 uv run pytest -m R1`.
"""

import asyncio
import random
import time

import pytest

from tests import forms
from tests.crowd import Crowd, Reader, gathered, is_stored
from tests.faults.conftest import on_all
from tests.faults.sites import ALONE, Site

pytestmark = [on_all, pytest.mark.R1]

READERS = forms.of(30, 100)
KILLS = forms.of(3, 20)
SECONDS_BETWEEN_KILLS = forms.of(1.0, 2.0)
BACK_SECONDS = 2.0


async def worker_of(site: Site, reader: Reader) -> int:
    """Return the worker that serves a reader, once it does."""
    async with asyncio.timeout(20):
        while reader.port is None:
            await asyncio.sleep(0.01)
    return await site.server_of(reader.port)


async def kill_again_and_again(site: Site, crowd: Crowd, times: int) -> list[float]:
    """Kill a worker again and again, each time that of a random reader: one may have none.

    Returns how long after each kill the next post was acknowledged.
    """
    back = []
    for _ in range(times):
        await asyncio.sleep(SECONDS_BETWEEN_KILLS)
        worker = await worker_of(site, random.choice(crowd.readers))
        killed_at = time.monotonic()
        await site.kill(worker)
        if site.setup == ALONE:
            await site.complete()
        await crowd.acknowledgement(20)
        back.append(time.monotonic() - killed_at)
        await site.complete()
    return back


@pytest.mark.limit(280)
async def test_nothing_is_lost_missed_or_doubled_while_workers_are_killed(own_site: Site) -> None:
    async with gathered([own_site.server], readers=READERS) as crowd:
        back = await kill_again_and_again(own_site, crowd, KILLS)
        await crowd.settle()
    print(f"{own_site.setup}: {len(crowd.acknowledged)} posts, {crowd.connections} connections;")
    print(f"back after {', '.join(f'{seconds:.2f}' for seconds in back)} s; {crowd.answers}")
    assert len(crowd.acknowledged) > 5
    assert len(set(crowd.acknowledged)) == len(crowd.acknowledged)
    assert crowd.missed() == 0
    assert crowd.doubled() == 0
    assert max(back) <= forms.at_most(BACK_SECONDS)
    assert await is_stored(own_site.server, crowd.acknowledged)
    assert await own_site.doubled_posts() == []


async def test_clients_without_a_cursor_miss_posts(own_site: Site) -> None:
    """The control: if nothing is missed here, the test above proves nothing."""
    async with gathered([own_site.server], readers=READERS, keep_cursors=False) as crowd:
        await kill_again_and_again(own_site, crowd, 2)
        await crowd.settle(3)
    assert crowd.missed() > 0
