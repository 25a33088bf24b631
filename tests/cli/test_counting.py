"""`serve --workers N` counts as one, whichever worker is asked and whichever dies."""

import asyncio
import http.client
import os
import signal
import tempfile
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from microblog.cli.counting import Counting
from microblog.measures import FOLDER
from tests.cli.test_workers import ENV, TWO, logged, until, workers_of
from tests.live.clients import listening
from tests.services import AppServer
from tests.web.test_metrics import read

ASKED = 12
SOCKETS = 6
REQUESTS = 'microblog_requests_total{method="GET",route="/explore",status="200"}'


async def scrape(server: AppServer) -> dict[str, float]:
    """Ask on a new connection, which any worker may accept."""
    status, text = await asyncio.to_thread(fetch, server, "/metrics")
    assert status == 200
    return read(text)


def fetch(server: AppServer, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def ask(server: AppServer, times: int) -> None:
    for _ in range(times):
        assert fetch(server, "/explore")[0] == 200


async def test_sums_are_those_of_all_workers_and_survive_one(tmp_path: Path) -> None:
    env = ENV | {"TMPDIR": str(tmp_path)}
    with AppServer(env, *TWO) as server:
        async with asyncio.timeout(20):
            while (await scrape(server))["microblog_processes"] < 2:
                await asyncio.sleep(0.02)
        await asyncio.to_thread(ask, server, ASKED)
        async with AsyncExitStack() as stack:
            for _ in range(SOCKETS):
                await stack.enter_async_context(listening(f"{server.ws_url}/live"))
            for _ in range(6):
                told = await scrape(server)
                assert (told[REQUESTS], told["microblog_sockets"]) == (ASKED, SOCKETS)
                assert told["microblog_processes"] == 2
        async with asyncio.timeout(20):
            while (await scrape(server))["microblog_sockets"]:
                await asyncio.sleep(0.02)
        for worker in workers_of(server):
            os.kill(worker, signal.SIGKILL)
        await until(lambda: len(logged(server, "worker.started")) == 4)
        async with asyncio.timeout(30):
            while (told := await scrape(server))["microblog_processes"] < 2:
                await asyncio.sleep(0.02)
        assert told[REQUESTS] == ASKED, "what the dead have counted stays"
        assert told["microblog_sockets"] == 0
        await asyncio.to_thread(ask, server, 5)
        assert (await scrape(server))[REQUESTS] == ASKED + 5
        (folder,) = tmp_path.glob("microblog-counts-*")
        numbers = {path.stem.rpartition("_")[2] for path in folder.iterdir()}
        assert numbers == {"0", "1"}, "a new worker goes on in the files of a dead one"
        assert server.terminate() == 0
    assert list(tmp_path.glob("microblog-counts-*")) == []


def test_each_counts_for_itself_where_no_folder_can_be_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(**_: object) -> str:
        raise OSError("no room")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    counting = Counting()
    counting.begin(counting.free_number())
    counting.note(7, 0)
    assert counting.free_number() == 1
    counting.bury(7)
    counting.close()
    assert FOLDER not in os.environ
    assert counting.free_number() == 0
