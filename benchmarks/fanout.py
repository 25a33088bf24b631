"""Fan-out: what it costs to bring one post to many live connections, beside three peers.

    uv run --with uvloop python benchmarks/fanout.py [--sockets 1000] [--posts 200] [--rounds 3]

Starts each server anew, only on 127.0.0.1, connects a crowd to it from another process, publishes
at a fixed rhythm, and prints a table. Takes about a minute and a half a server and round. Linux.
"""

import argparse
import asyncio
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import accounting, contestants, profiling, report, stage
from benchmarks.contestants import Contestant
from benchmarks.crowd import Await, Crowd, Open
from benchmarks.publishers import Publisher
from benchmarks.report import Run
from tests.processes import Server

WARM_SOCKETS = 20
WARM_POSTS = 20
ALONE_POSTS = 60
ALONE_PER_SECOND = 12.0
WARM_SECONDS = 10.0
WAIT_SECONDS = 60.0
SPARE_DESCRIPTORS = 200


def publish(publisher: Publisher, posts: int, per_second: float) -> dict[int, float]:
    """Publish at a fixed rhythm; return when each item was asked for."""
    begun, started = time.monotonic(), {}
    for number in range(posts):
        time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        item, at = publisher.publish()
        started[item] = at
    return started


def cost_alone(group: int, publisher: Publisher, posts: int) -> float:
    """Return the CPU seconds that one item takes while nobody listens."""
    publish(publisher, WARM_POSTS, ALONE_PER_SECOND)
    before = accounting.cpu_seconds(group)
    publish(publisher, posts, ALONE_PER_SECOND)
    time.sleep(0.2)
    return (accounting.cpu_seconds(group) - before) / posts


def run_once(entrant: Contestant, crowd: Crowd, options: argparse.Namespace) -> Run:
    """Start a server, connect the crowd, publish, and account for it."""
    server = entrant.make()
    try:
        server.start()
        run = _measure(entrant, server, crowd, options)
        crowd.leave()
        return run
    finally:
        server.close()


def _measure(entrant: Contestant, server: Server, crowd: Crowd, options: argparse.Namespace) -> Run:
    assert server.process is not None
    group, headers = server.process.pid, list(entrant.headers)
    publisher = entrant.publisher(server.port)
    alone = cost_alone(group, publisher, ALONE_POSTS)
    warm, rest = headers[:WARM_SOCKETS], headers[WARM_SOCKETS:]
    crowd.open(Open(server.port, entrant.path, warm))
    first = crowd.wait(Await(publish(publisher, WARM_POSTS, options.rate), WARM_SECONDS))
    if not first.deliveries:
        raise RuntimeError(f"{entrant.name} delivers nothing. It printed:\n{server.output()}")
    resident = accounting.resident_bytes(group)
    connecting = accounting.cpu_seconds(group)
    crowd.open(Open(server.port, entrant.path, rest))
    connected = accounting.resident_bytes(group)
    spent = accounting.cpu_seconds(group)
    begun = time.monotonic()
    with profiling.sampled(group, options.profile):
        started = publish(publisher, options.posts, options.rate)
        seconds = time.monotonic() - begun
        arrivals = crowd.wait(Await(started, WAIT_SECONDS))
    worked = accounting.cpu_seconds(group) - spent
    publisher.close()
    return Run(
        entrant.name,
        arrivals,
        cpu_seconds=worked,
        alone_seconds=alone * options.posts,
        per_second=(options.posts - 1) / max(seconds, 1e-9),
        connect_ms=1000 * (spent - connecting) / len(rest),
        connected_kib=(connected - resident) / 1024 / len(rest),
        used_kib=(accounting.resident_bytes(group) - resident) / 1024 / len(rest),
        troubles=report.troubles(server.output()),
    )


def entrants(folder: Path, crowd: Crowd, options: argparse.Namespace) -> list[Contestant]:
    """Return who takes part; makes the stage, and takes one real frame for the peers to copy."""
    stage.migrate(folder)
    ready = asyncio.run(stage.prepare(folder, options.sockets))
    ours = [contestants.microblog(ready, topic) for topic in ("explore", "home")]
    if options.profile:
        return ours[:1]
    brief = argparse.Namespace(**{**vars(options), "posts": 1, "rate": 50.0})
    sample = run_once(ours[0], crowd, brief).arrivals.sample
    print(f"One frame has {len(sample)} bytes.", flush=True)
    return [*ours, *contestants.peers(options.sockets, sample)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=1000, help="21 to 10000")
    parser.add_argument("--posts", type=int, default=200, help="1 to 10000")
    parser.add_argument("--rounds", type=int, default=3, help="1 to 100")
    parser.add_argument("--rate", type=float, default=4.0, help="posts a second")
    parser.add_argument("--profile", action="store_true", help="where Microblog's time goes")
    chosen = parser.parse_args()
    if not WARM_SOCKETS < chosen.sockets <= 10_000 or not 0 < chosen.posts <= 10_000:
        parser.error("--sockets or --posts is out of bounds")
    if not 0 < chosen.rounds <= 100 or not 0 < chosen.rate <= 1000:
        parser.error("--rounds or --rate is out of bounds")
    return chosen


def allow_descriptors(count: int) -> None:
    """Raise the soft limit of open files as far as is needed and allowed; servers inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    allow_descriptors(options.sockets + SPARE_DESCRIPTORS)
    with tempfile.TemporaryDirectory(prefix="microblog-fanout-") as folder, Crowd() as crowd:
        taking_part = entrants(Path(folder), crowd, options)
        rounds: list[list[Run]] = []
        for number in range(1 if options.profile else options.rounds):
            turn = number % len(taking_part)  # nobody always comes first
            rounds.append([])
            for entrant in taking_part[turn:] + taking_part[:turn]:
                rounds[-1].append(run_once(entrant, crowd, options))
                print(report.line(number + 1, rounds[-1][-1]), flush=True)
    if not options.profile:
        print(report.table(rounds))


if __name__ == "__main__":
    main()
