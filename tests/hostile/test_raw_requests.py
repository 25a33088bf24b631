"""S21: raw requests, smuggled, broken, oversize and slow: one answer at most, and then the end."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests import forms
from tests.hostile.conftest import PLAIN, SERVE, WITH_THE_FILE, running
from tests.hostile.raw import Told, open_files, talk
from tests.hostile.requests import FORMS, HOST, SECOND, SIGN_UP, SLOW, SMUGGLING, Raw
from tests.services import AppServer

pytestmark = pytest.mark.S21

CLOSED_SECONDS = 10.0
LISTEN_SECONDS = 14.0
QUIET_SECONDS = 0.3


WAYS = forms.of([WITH_THE_FILE, PLAIN], [SERVE, WITH_THE_FILE, PLAIN])
TALKING = ThreadPoolExecutor(16)


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest, migrated_sqlite: Path) -> Iterator[AppServer]:
    """Each way to serve. The checkout's file lets an idle connection live for 75 seconds."""
    with running(migrated_sqlite, request.param) as one:
        yield one


async def said(server: AppServer, case: Raw, quiet_seconds: float | None) -> Told:
    talking = partial(
        talk,
        server.port,
        *case.said,
        seconds=LISTEN_SECONDS,
        pause_seconds=case.pause_seconds,
        quiet_seconds=quiet_seconds,
    )
    return await asyncio.get_running_loop().run_in_executor(TALKING, talking)


async def wrong(
    server: AppServer, cases: dict[str, Raw], quiet_seconds: float | None = None
) -> dict[str, str]:
    """Say all of it, several at a time; return what was not answered as it should be."""

    async def one(name: str, case: Raw) -> tuple[str, str]:
        told = await said(server, case, quiet_seconds)
        found = f"{told.statuses}, closed after {told.closed_after_seconds}"
        first = told.statuses[0] if told.statuses else 0
        good = len(told.statuses) <= 1 and first in case.right
        if quiet_seconds is None:
            good = good and (told.closed_after_seconds or LISTEN_SECONDS) <= CLOSED_SECONDS
        return name, "" if good else found

    done = await asyncio.gather(*(one(name, case) for name, case in cases.items()))
    return {name: found for name, found in done if found}


async def test_nothing_is_smuggled_past_a_request(server: AppServer) -> None:
    assert await wrong(server, SMUGGLING, QUIET_SECONDS) == {}
    assert server.status("/healthz") == 200


async def test_two_requests_on_one_connection_are_two_answers(server: AppServer) -> None:
    """The control: a second answer would have been seen."""
    told = await asyncio.to_thread(talk, server.port, SECOND * 2, quiet_seconds=QUIET_SECONDS)
    assert told.statuses == [200, 200]


async def test_odd_requests_get_a_clear_answer(server: AppServer) -> None:
    assert await wrong(server, FORMS, QUIET_SECONDS) == {}
    assert "Traceback" not in server.output()
    assert server.status("/healthz") == 200


async def slow_but_steady_body_is_taken(server: AppServer) -> None:
    """The control: whoever gets on is not cut off. 16 KiB in each eight seconds are enough."""
    body = b'{"username":"' + b"x" * 60_000 + b'"}'
    head = SIGN_UP + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    parts = [body[at : at + 6_000] for at in range(0, len(body), 6_000)]
    told = await asyncio.to_thread(
        talk, server.port, head, *parts, seconds=30, pause_seconds=1.0, quiet_seconds=0.1
    )
    assert told.statuses == [422]


async def test_slow_and_silent_clients_are_cut_off_in_ten_seconds(server: AppServer) -> None:
    found, _ = await asyncio.gather(wrong(server, SLOW), slow_but_steady_body_is_taken(server))
    assert found == {}
    assert server.status("/healthz") == 200


async def test_refused_requests_leave_no_connection_behind(server: AppServer) -> None:
    assert server.process is not None
    pid = server.process.pid
    before = open_files(pid)
    refused = {name: case for name, case in SMUGGLING.items() if case.right == {400}}
    assert await wrong(server, refused) == {}
    async with asyncio.timeout(CLOSED_SECONDS):
        while open_files(pid) > before:
            await asyncio.sleep(0.05)


async def test_trace_gives_nothing_back(server: AppServer) -> None:
    secret = b"TRACE / HTTP/1.1\r\n" + HOST + b"Cookie: session=of-mina\r\n\r\n"
    told = await asyncio.to_thread(talk, server.port, secret, quiet_seconds=QUIET_SECONDS)
    assert told.statuses == [405]
    assert b"of-mina" not in told.received


def test_there_are_sixty_requests_at_least() -> None:
    assert len(SMUGGLING | FORMS | SLOW) >= 60
