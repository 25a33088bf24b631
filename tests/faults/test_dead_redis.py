"""R2: Redis is killed again and again, then stays away; what it carries is only a hint to look.

The long form kills it ten times and leaves it away for a minute: `LONG=1 uv run pytest -m R2`.
"""

import asyncio
import time

import pytest

from tests import forms
from tests.crowd import Crowd, gathered
from tests.faults.conftest import on_servers
from tests.faults.sites import Site

pytestmark = [on_servers, pytest.mark.R2]

KILLS = forms.of(2, 10)
AWAY_SECONDS = forms.of(4.0, 60.0)
UNHURT_SECONDS = forms.of(2.0, 10.0)
LATE_SECONDS = 1.2


def slowest(crowd: Crowd, count: int) -> float:
    """Return the 99th percentile of the last `count` acknowledgements of each writer."""
    took = sorted(one for writer in crowd.writers for one in writer.took_seconds[-count:])
    return took[int(len(took) * 0.99)]


@pytest.mark.limit(280)
async def test_dead_redis_delays_events_a_second_and_fails_no_post(own_site: Site) -> None:
    redis = own_site.redis
    assert redis is not None
    async with gathered([own_site.server], posts_a_second=20) as crowd:
        await crowd.acknowledgement(20)
        await asyncio.sleep(UNHURT_SECONDS)
        unhurt = slowest(crowd, 1000)
        for _ in range(KILLS):
            await asyncio.to_thread(redis.kill)
            await asyncio.sleep(1)
            await asyncio.to_thread(redis.start)
            await asyncio.sleep(1)
        await asyncio.to_thread(redis.kill)
        away_at, count = time.monotonic(), len(crowd.acknowledged)
        await asyncio.sleep(AWAY_SECONDS)
        await crowd.acknowledgement(20)
        away = slowest(crowd, max(1, (len(crowd.acknowledged) - count) // len(crowd.writers)))
        await crowd.settle()
    late = crowd.lateness_seconds()
    print(
        f"{len(crowd.acknowledged)} posts, {crowd.answers}; late at most {max(late):.2f} s, "
        f"{max(crowd.lateness_seconds(away_at)):.2f} s while it was away; "
        f"p99 of acknowledgements {unhurt * 1000:.0f} ms, then {away * 1000:.0f} ms"
    )
    assert set(crowd.answers) == {201}
    assert crowd.missed() == 0
    assert crowd.doubled() == 0
    assert crowd.connections == len(crowd.readers), "no socket was closed"
    assert max(late) <= forms.at_most(LATE_SECONDS)
    assert away <= forms.at_most(2 * unhurt)


async def test_restarted_redis_rings_again(own_site: Site) -> None:
    """After a restart events come by the bell again, not by the poll."""
    redis = own_site.redis
    assert redis is not None
    async with gathered([own_site.server], posts_a_second=20, readers=5) as crowd:
        await asyncio.to_thread(redis.restart)
        async with asyncio.timeout(20):
            while True:
                since = time.monotonic()
                await asyncio.sleep(1.5)
                if (late := crowd.lateness_seconds(since)) and max(late) < 0.5:
                    break
        await crowd.settle()
    assert crowd.missed() == 0
    assert set(crowd.answers) == {201}
