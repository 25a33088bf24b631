"""R14: a server under everyday load for hours; its memory, descriptors and tasks must not grow.

    uv run python benchmarks/soak.py [--minutes 120] [--warm-up 20] [--clients 200] [--workers 1]

Clients come and go, people post, and each half minute a line says what every process holds. At
the end all clients leave, and what is left is compared with the beginning. Ends with status 1
where memory grows by more than a megabyte an hour after the warm-up, or something stays. Linux.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.crowd import ROOM, Reader, Writer, another_token, token_of
from tests.services import AppServer

SAMPLE_SECONDS = 30.0
WRITERS = 2
MOST_BYTES_AN_HOUR = 1_000_000
QUIET_SECONDS = 90.0  # in which idle connections are closed and the garbage is taken out
MARK = "soak.held "
# Lets a process of the server say what it holds, when it is asked by a signal: its tasks, Python's
# blocks (of 512 bytes at most), and what the allocator of C has given out and keeps for later.
TELLING = f"""
import asyncio, ctypes, gc, json, signal, sys
class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "used", "free", "top"
    )]
mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
if mallinfo is not None:
    mallinfo.restype = Mallinfo
def tell(number, frame):
    gc.collect()
    of_c = mallinfo() if mallinfo is not None else Mallinfo()
    held = [len(asyncio.all_tasks()), sys.getallocatedblocks(), of_c.used + of_c.hblkhd, of_c.free]
    print({MARK!r} + json.dumps(held), file=sys.stderr, flush=True)
signal.signal(signal.SIGUSR1, tell)
"""


@dataclass(frozen=True)
class Held:
    """What the processes of a server hold together."""

    minutes: float
    memory_bytes: int
    descriptors: int
    tasks: int
    python_blocks: int
    c_used_bytes: int
    c_free_bytes: int


def processes(server: AppServer) -> list[int]:
    """Return the processes that serve: the workers, or the only one."""
    assert server.process is not None
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] or [pid]


async def told_by(server: AppServer) -> list[int]:
    """Ask every process for its tasks, blocks, and bytes used and free; return their sums."""
    pids = processes(server)
    before = server.output().count(MARK)
    for pid in pids:
        os.kill(pid, signal.SIGUSR1)
    async with asyncio.timeout(10):
        while server.output().count(MARK) < before + len(pids):
            await asyncio.sleep(0.02)
    told = [line for line in server.output().splitlines() if line.startswith(MARK)]
    by_process = [json.loads(line.removeprefix(MARK)) for line in told[-len(pids) :]]
    return [sum(column) for column in zip(*by_process, strict=True)]


async def look(server: AppServer, began: float) -> Held:
    """Return what the server holds now, and print it."""
    memory = descriptors = 0
    told = await told_by(server)
    for pid in processes(server):
        status = Path(f"/proc/{pid}/status").read_text()
        memory += int(status.partition("RssAnon:")[2].split()[0]) * 1024
        descriptors += len(os.listdir(f"/proc/{pid}/fd"))
    held = Held((time.monotonic() - began) / 60, memory, descriptors, *told)
    print(
        f"{held.minutes:7.1f} min  {held.memory_bytes / 2**20:7.2f} MiB  "
        f"{held.descriptors:5} descriptors  {held.tasks:5} tasks  {held.python_blocks:8} blocks  "
        f"{held.c_used_bytes / 2**20:6.2f} MiB used  {held.c_free_bytes / 2**20:6.2f} MiB free",
        flush=True,
    )
    return held


async def come_and_go(server: AppServer, clients: int, churn_a_second: float) -> None:
    """Keep so many clients connected, of whom some leave each second and others come."""
    reading: list[asyncio.Task[None]] = []
    try:
        while True:
            while len(reading) < clients:
                reading.append(asyncio.create_task(Reader([server]).read_for_ever()))
            await asyncio.sleep(1 / churn_a_second)
            leaving = reading.pop(random.randrange(len(reading)))
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def soak(server: AppServer, options: argparse.Namespace) -> bool:
    """Serve for as long as the options say; tell whether everything held."""
    writers = [
        Writer([server], await token_of(server, f"writer{n}"), options.posts / WRITERS)
        for n in range(WRITERS)
    ]
    await asyncio.sleep(2)
    began, seen = time.monotonic(), []
    first = await look(server, began)
    busy = [asyncio.create_task(one.write_until(asyncio.Event())) for one in writers]
    busy.append(asyncio.create_task(come_and_go(server, options.clients, options.churn)))
    while time.monotonic() - began < options.minutes * 60:
        await asyncio.sleep(SAMPLE_SECONDS)
        seen.append(await look(server, began))
        for number, one in enumerate(writers):  # what it remembers is of no use here
            one.acknowledged.clear()
            one.acknowledged_at.clear()
            one.token = await another_token(server, f"writer{number}")
    for task in busy:
        task.cancel()
    ends = await asyncio.gather(*busy, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
    last = await settled(server, began, first)
    answers = {status: sum(w.answers[status] for w in writers) for status in (201, 503, 0)}
    return verdict(first, [one for one in seen if one.minutes >= options.warm_up], last, answers)


async def settled(server: AppServer, began: float, first: Held) -> Held:
    """Look again until nothing is left over, for a minute and a half at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_SECONDS):
            while True:
                last = await look(server, began)
                if last.descriptors <= first.descriptors and last.tasks <= first.tasks:
                    return last
                await asyncio.sleep(10)
    return await look(server, began)


def verdict(first: Held, seen: list[Held], last: Held, answers: dict[int, int]) -> bool:
    """Print what was found; tell whether it is good."""
    growth = 0.0
    if len(seen) > 2:
        hours = [one.minutes / 60 for one in seen]
        growth = statistics.linear_regression(hours, [one.memory_bytes for one in seen]).slope
    good = {
        f"memory grows by {growth / 1e6:+.2f} MB an hour": growth <= MOST_BYTES_AN_HOUR,
        f"descriptors {first.descriptors} → {last.descriptors}": last.descriptors
        <= first.descriptors,
        f"tasks {first.tasks} → {last.tasks}": last.tasks <= first.tasks,
        f"answers to posts: {json.dumps(answers)}": answers[503] == answers[0] == 0,
    }
    for what, is_good in good.items():
        print(f"{'ok  ' if is_good else 'FAIL'}  {what}")
    return all(good.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--warm-up", type=float, default=20.0, help="minutes that are not counted")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--churn", type=float, default=5.0, help="clients that leave a second")
    parser.add_argument("--posts", type=float, default=5.0, help="posts a second")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    words = () if options.workers == 1 else ("--workers", str(options.workers))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(TELLING)
        env = ROOM | {"PYTHONPATH": folder}
        with AppServer(env, *words) as server:
            return 0 if asyncio.run(soak(server, options)) else 1


if __name__ == "__main__":
    sys.exit(main())
