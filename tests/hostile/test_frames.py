"""S2: frames that no good client sends, and floods of good ones; the server stays as it was.

The long form sends 100,000 frames and floods for ten seconds: `LONG=1 uv run pytest -m S2`.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import forms
from tests.hostile.conftest import PLAIN, SERVE, running
from tests.hostile.frames import GOOD, TABLE, TEXT, frame, fuzzed, say
from tests.hostile.raw import resident_bytes
from tests.live.clients import listening
from tests.services import AppServer

pytestmark = pytest.mark.S2

FRAMES = forms.of(3_000, 100_000)
FLOOD_SECONDS = forms.of(2.0, 10.0)
A_CONNECTION = 50
AT_ONCE = 8
MOST_BYTES = 20 * 2**20
LINGER_SECONDS = 2.5
STAYS = 0  # in place of a code: the connection was still there
FLOODS = {
    "good frames": (frame(TEXT, GOOD) * 500, {4008, 1006}),
    "pings": (frame(0x9, b"x" * 125) * 500, {STAYS}),
    "long frames": (frame(TEXT, b"x" * 4000) * 20, {4002, 1006}),
}


@pytest.fixture(scope="module", params=[SERVE, PLAIN])
def server(request: pytest.FixtureRequest, migrated_sqlite: Path) -> Iterator[AppServer]:
    with running(migrated_sqlite, request.param) as one:
        yield one


def pid_of(server: AppServer) -> int:
    assert server.process is not None
    return server.process.pid


async def is_well(server: AppServer) -> bool:
    """Tell whether the server still serves, and without having stumbled."""
    async with listening(f"{server.ws_url}/live") as client:
        await client.say({"type": "subscribe", "topic": "explore"})
        await client.frame_of("subscribed")
    return server.status("/healthz") == 200 and "Traceback" not in server.output()


async def test_each_broken_frame_is_closed_with_its_code(server: AppServer) -> None:
    async def one(name: str) -> tuple[str, int]:
        return name, (await say(server.port, TABLE[name][0])).code

    found = dict(await asyncio.gather(*(one(name) for name in TABLE)))
    wrong = {name: code for name, code in found.items() if code not in TABLE[name][1]}
    assert wrong == {}
    assert await is_well(server)


@pytest.mark.limit(280)
async def test_fuzzed_frames_neither_stop_nor_swell_the_server(server: AppServer) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    codes: Counter[int] = Counter()

    async def some(count: int) -> None:
        for _ in range(0, count, A_CONNECTION):
            said = fuzzed(chance, A_CONNECTION)
            # The end of what is said is the end of the connection, whatever it claims to be.
            parts = [said[at : at + 1000] for at in range(0, len(said), 1000)]
            ended = await say(server.port, *parts, frame(0xF, masked=False) * 200_000)
            codes[ended.code] += 1

    await some(500)  # what is made once for all is there from now on
    before = resident_bytes(pid_of(server))
    await asyncio.gather(*(some(FRAMES // AT_ONCE) for _ in range(AT_ONCE)))
    more = resident_bytes(pid_of(server)) - before
    print(f"seed {seed}: memory +{more / 2**20:.1f} MiB; closed with {dict(codes)}")
    assert more <= MOST_BYTES
    assert await is_well(server)


@pytest.mark.parametrize(("flood", "right"), FLOODS.values(), ids=FLOODS.keys())
async def test_flood_is_cut_off_and_swells_nothing(
    server: AppServer, flood: bytes, right: set[int]
) -> None:
    before = resident_bytes(pid_of(server))
    most = before
    until = time.monotonic() + FLOOD_SECONDS
    codes: Counter[int] = Counter()

    async def one() -> None:
        while time.monotonic() < until:
            try:
                ended = await say(
                    server.port, *[flood] * 400, seconds=FLOOD_SECONDS + LINGER_SECONDS
                )
                codes[ended.code] += 1
            except TimeoutError:
                codes[STAYS] += 1

    flooding = asyncio.gather(*(one() for _ in range(4)))
    while not flooding.done():
        most = max(most, resident_bytes(pid_of(server)))
        await asyncio.sleep(0.05)
    await flooding
    print(f"memory +{(most - before) / 2**20:.1f} MiB; closed with {dict(codes)}")
    assert most - before <= MOST_BYTES
    assert set(codes) <= right
    assert await is_well(server)
