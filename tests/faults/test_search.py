"""Servers are killed while people post; whatever was acknowledged is found all the same.

The long form kills twenty times: `LONG=1 uv run pytest tests/faults/test_search.py`.
"""

import asyncio
import random

import httpx
import pytest

from tests import forms
from tests.crowd import gathered
from tests.faults.sites import ALONE, SETUPS, Site

KILLS = forms.of(2, 20)
SECONDS_BETWEEN_KILLS = 1.0
PATIENCE_SECONDS = 60  # a job whose worker was killed is another's after twenty


async def found(url: str) -> set[str]:
    """Return the ids of all that is found, page by page."""
    ids: set[str] = set()
    address: str | None = "/api/search?q=post&sort=time&limit=100"
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:
        while address is not None:
            page = (await http.get(address)).raise_for_status().json()
            ids |= {each["id"] for each in page["items"]}
            address = page["_links"]["next"]
    return ids


@pytest.mark.limit(280)
@pytest.mark.parametrize("setup", forms.of([ALONE], SETUPS))
async def test_each_acknowledged_post_is_found_although_servers_are_killed(own_site: Site) -> None:
    async with gathered([own_site.server], readers=1) as crowd:
        for _ in range(KILLS):
            await asyncio.sleep(SECONDS_BETWEEN_KILLS)
            await own_site.kill(random.choice(sorted(own_site.workers)))
            await own_site.complete()
            await crowd.acknowledgement(20)
        await crowd.settle()
    assert len(crowd.acknowledged) > KILLS
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not set(crowd.acknowledged) <= await found(own_site.server.url):
            await asyncio.sleep(0.1)
