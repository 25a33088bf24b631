"""`microblog serve --workers N`: workers that die, that are renewed, and that end together."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Run, one_sentence, process
from tests.live.clients import listening
from tests.services import AppServer, choose_free_port, clean_environment

ENV = {"MICROBLOG_BCRYPT_ROUNDS": "4"}
TWO = ("--workers", "2")


@pytest.fixture(params=[(), TWO], ids=["alone", "two workers"])
def renewable(request: pytest.FixtureRequest) -> Iterator[AppServer]:
    """A server of one process, and one of two workers, not started yet."""
    server = AppServer(ENV, *request.param)
    yield server
    server.close()


@pytest.fixture
def two() -> Iterator[AppServer]:
    """A server of two workers."""
    with AppServer(ENV, *TWO) as server:
        yield server


def pid_of(server: AppServer) -> int:
    assert server.process is not None
    return server.process.pid


def workers_of(server: AppServer) -> set[int]:
    """Return the ids of a server's workers."""
    pid = pid_of(server)
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def logged(server: AppServer, event: str) -> list[dict[str, Any]]:
    """Return the lines of a server's log that tell of an event."""
    lines = [line for line in server.output().splitlines() if line.startswith("{")]
    return [found for line in lines if (found := json.loads(line))["event"] == event]


async def until(so: Callable[[], bool], seconds: float = 20) -> None:
    """Ask again and again: a process tells nobody what has become of it."""
    async with asyncio.timeout(seconds):
        while not so():
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def asking_all_the_time(server: AppServer) -> AsyncIterator[list[str]]:
    """Ask again and again, on a new connection each time; gives what was shown, or went wrong."""
    seen: list[str] = []

    async def ask() -> None:
        while True:
            try:
                async with httpx.AsyncClient(timeout=15) as http:
                    seen.append((await http.get(f"{server.url}/explore")).text)
            except httpx.HTTPError as error:
                seen.append(repr(error))

    tasks = [asyncio.create_task(ask()) for _ in range(3)]
    try:
        await until(lambda: len(seen) > 5)
        yield seen
        count = len(seen)
        await until(lambda: len(seen) > count + 5)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# --- Workers that die --------------------------------------------------------------------------


async def test_killed_worker_is_replaced_while_the_other_answers(two: AppServer) -> None:
    before = workers_of(two)
    assert len(before) == 2
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    async with httpx.AsyncClient(base_url=two.url) as http:
        assert (await http.get("/readyz")).status_code == 200
    await until(lambda: len(workers_of(two) - {killed}) == 2)
    assert workers_of(two) > before - {killed}
    (ended,) = logged(two, "worker.ended")
    assert (ended["pid"], ended["signal"]) == (killed, "SIGKILL")


async def test_workers_that_die_young_come_back_ever_more_slowly(two: AppServer) -> None:
    kept = min(workers_of(two))
    for deaths in range(1, 4):
        await until(lambda: len(workers_of(two)) == 2)
        (young,) = workers_of(two) - {kept}
        os.kill(young, signal.SIGKILL)
        await until(lambda deaths=deaths: len(logged(two, "worker.ended")) == deaths)
    pauses = [line["again_in_seconds"] for line in logged(two, "worker.ended")]
    assert pauses == [0.5, 1.0, 2.0]
    assert two.status("/readyz") == 200


async def test_workers_end_when_their_supervisor_is_killed(two: AppServer) -> None:
    workers = workers_of(two)
    async with listening(f"{two.ws_url}/live") as client:
        os.kill(pid_of(two), signal.SIGKILL)
        assert await client.close_code() == 1012
        await until(lambda: not any(is_running(pid) for pid in workers), 5)
    assert two.status("/healthz") is None


# --- The end -----------------------------------------------------------------------------------


@pytest.mark.R9
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stop_closes_fifty_sockets_for_a_restart_and_is_quick(
    two: AppServer, number: signal.Signals
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        url = f"{two.ws_url}/live"
        clients = [await stack.enter_async_context(listening(url)) for _ in range(50)]
        began = time.monotonic()
        os.kill(pid_of(two), number)
        codes = await asyncio.gather(*(client.close_code() for client in clients))
        assert two.process is not None
        assert await asyncio.to_thread(two.process.wait, 10) == 0
    assert time.monotonic() - began <= 5
    assert set(codes) == {1012}
    assert "Traceback" not in two.output()


async def test_worker_that_does_not_end_is_killed(two: AppServer) -> None:
    frozen = min(workers_of(two))
    os.kill(frozen, signal.SIGSTOP)
    began = time.monotonic()
    os.kill(pid_of(two), signal.SIGTERM)
    assert two.process is not None
    assert await asyncio.to_thread(two.process.wait, 10) == 0
    assert time.monotonic() - began <= 5
    assert not is_running(frozen)


def test_closed_terminal_ends_the_server(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    for words in ((), TWO):
        with subprocess.Popen(
            [sys.executable, "-m", "microblog", "serve", "--port", "0", *words],
            cwd=tmp_path,
            env={**clean_environment(), "PYTHONUNBUFFERED": "1"},
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if "Running on" in line:
                    running.send_signal(signal.SIGHUP)
                    break
            assert running.wait(10) == 0
    os.close(ours)
    os.close(theirs)


# --- New settings ------------------------------------------------------------------------------


async def test_new_settings_come_without_a_refused_connection(renewable: AppServer) -> None:
    settings = renewable.folder / ".env"
    settings.write_text("MICROBLOG_SITE_NAME=Old village\n")
    renewable.start()
    pid = pid_of(renewable)
    async with listening(f"{renewable.ws_url}/live") as client:
        async with asking_all_the_time(renewable) as seen:
            settings.write_text("MICROBLOG_SITE_NAME=New village\n")
            os.kill(pid, signal.SIGHUP)
            assert await client.close_code(20) == 1012
            await until(lambda: "New village" in seen[-1])
        assert [page for page in seen if "village" not in page] == []
        assert "Old village" in seen[0]
    assert pid_of(renewable) == pid
    assert renewable.status("/readyz") == 200


WRONG = [
    (".env", "MICROBLOG_POSTS_PER_PAGE=many", "MICROBLOG_POSTS_PER_PAGE 'many'"),
    (".env", "DATABASE_URL=postgresql://127.0.0.1:1/blog", "127.0.0.1:1/blog"),
    ("hypercorn.toml", "bindd = 1", "there is no setting 'bindd'"),
]


async def test_wrong_settings_are_told_and_change_nothing(renewable: AppServer) -> None:
    renewable.start()
    async with listening(f"{renewable.ws_url}/live") as client:
        before = workers_of(renewable)
        for number, (name, content, told) in enumerate(WRONG, 1):
            (renewable.folder / name).write_text(content)
            os.kill(pid_of(renewable), signal.SIGHUP)
            await until(lambda number=number: len(logged(renewable, "reload.refused")) == number)
            reason = logged(renewable, "reload.refused")[-1]["reason"]
            assert told in reason
            assert "\n" not in reason
            await until(lambda: workers_of(renewable) == before)  # who checked has gone
            (renewable.folder / name).unlink()
        await client.say({"type": "subscribe", "topic": "explore"})
        assert (await client.frame())["type"] == "subscribed"
        os.kill(pid_of(renewable), signal.SIGHUP)
        assert await client.close_code(20) == 1012
    await until(lambda: renewable.status("/readyz") == 200)


async def test_number_of_workers_and_addresses_are_read_anew(tmp_path: Path) -> None:
    first, second = choose_free_port(), choose_free_port()
    file = tmp_path / "hypercorn.toml"
    file.write_text(f'bind = "127.0.0.1:{first}"\nworkers = 2\n')
    server = AppServer(ENV)
    server.command = lambda: [sys.executable, "-m", "microblog", "serve"]  # type: ignore[method-assign]
    server.port = first
    file.rename(server.folder / file.name)
    try:
        server.start()
        assert len(workers_of(server)) == 2
        (server.folder / file.name).write_text(f'bind = "127.0.0.1:{second}"\nworkers = 3\n')
        os.kill(pid_of(server), signal.SIGHUP)
        await until(lambda: len(logged(server, "worker.left")) == 2)
        assert len(workers_of(server)) == 3
        assert server.status("/healthz") is None
        server.port = second
        assert server.status("/healthz") == 200
    finally:
        server.close()


# --- What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["0", "-1", "1.5", "true", '"two"', "1000"])
def test_wrong_number_of_workers_is_one_sentence(tmp_path: Path, workers: str) -> None:
    (tmp_path / "hypercorn.toml").write_text(f"workers = {workers}\n")
    done = process("microblog", "serve", folder=tmp_path)
    assert done.returncode == 1
    assert one_sentence(done.stderr).startswith("hypercorn.toml: workers must be a whole number")


def test_system_without_fork_has_one_worker(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert "fork" in run.fails("serve", "--port", "0", "--workers", "2")


def test_workers_that_do_not_hear_one_another_are_warned_of() -> None:
    with AppServer(ENV | {"MICROBLOG_BELL": "memory"}, *TWO) as server:
        assert logged(server, "bell.unheard") != []
