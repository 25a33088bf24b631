"""How a server ends with all kinds of connections open, under plain hypercorn and our own."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.services import AppServer
from tests.visitors import visiting

PROMISED_SECONDS = 5.0
ENV = {"MICROBLOG_BCRYPT_ROUNDS": "4", "MICROBLOG_LOG_LEVEL": "warning"}
SERVERS = {
    "plain hypercorn": ((), True),
    "plain hypercorn, two workers": (("-w", "2"), True),
    "microblog serve": ((), False),
    "microblog serve, two workers": (("--workers", "2"), False),
}

WITHOUT_DRAIN = """
from microblog.edge.drain import Drain
Drain.enter = lambda *told: None
Drain.hear_signals = lambda self: None
"""


class Make(Protocol):
    """Starts a server of a kind in `SERVERS`, on an SQLite file of its own."""

    def __call__(self, kind: str, **env: str) -> AppServer: ...


@pytest.fixture
def make_server(migrated_sqlite: Path) -> Iterator[Make]:
    made: list[AppServer] = []

    def make(kind: str, **env: str) -> AppServer:
        arguments, hypercorn = SERVERS[kind]
        server = AppServer(ENV | env, *arguments, hypercorn=hypercorn)
        made.append(server)
        (server.folder / "var").mkdir()
        shutil.copy(migrated_sqlite, server.folder / "var" / "microblog.db")
        return server.start()

    yield make
    for server in made:
        server.close()


async def ended(server: AppServer, asked: float) -> float:
    """Wait for the end of a server that was asked to stop; return the seconds it took."""
    assert server.process is not None
    status = await asyncio.to_thread(server.process.wait, 30)
    assert status == 0, server.output()
    return time.monotonic() - asked


@pytest.mark.smoke
@pytest.mark.parametrize("kind", SERVERS)
async def test_stop_closes_sockets_answers_requests_and_is_quick(
    make_server: Make, kind: str
) -> None:
    server = make_server(kind)
    assert server.process is not None
    async with visiting(server) as visitors:
        asked = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert await visitors.close_codes() == {1012}
        assert await visitors.finish_asking() == 201
        seconds = await ended(server, asked)
    assert seconds <= PROMISED_SECONDS
    assert seconds >= 2  # there was something to wait for: a request that never arrived whole
    assert "Traceback" not in server.output()


async def test_without_the_drain_plain_hypercorn_does_not_say_that_it_restarts(
    make_server: Make, tmp_path: Path
) -> None:
    """The control: what is measured above is our doing."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_DRAIN)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    server = make_server("plain hypercorn", PYTHONPATH=path)
    assert server.process is not None
    async with visiting(server, 3) as visitors:
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            codes = await asyncio.wait_for(visitors.close_codes(), 4)
            assert 1012 not in codes
    server.kill()
