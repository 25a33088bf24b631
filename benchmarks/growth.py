"""Growth: what a post costs with many posts in the database, and with many absent followers.

    uv run --with uvloop python benchmarks/growth.py [--posts 1000000] [--followers 100000]

The same author publishes to the same fifty connected followers on three servers: a small one, one
with many posts, and one where many more people follow the author but are not connected. Takes four
minutes, half of them to write the many posts (`--posts 200000` is quicker). Linux.
"""

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import accounting, contestants, filling, report, stage, tables
from benchmarks.archive import FIRST_WRITER, Archive, archive
from benchmarks.crowd import Arrivals, Await, Crowd, Open
from benchmarks.fanout import publish
from benchmarks.publishers import ApiPublisher
from benchmarks.tables import Target, ratios, spread
from tests.services import AppServer

SMALL_POSTS = 1_000
WRITERS = 500
SOCKETS = 50
WARM_POSTS = 15
WAIT_SECONDS = 30.0
GROWTH = 1.3


@dataclass(frozen=True, slots=True)
class Place:
    """A running server, the author's token, and the header blocks of those who connect."""

    name: str
    server: AppServer
    token: str
    headers: list[str]


@dataclass(frozen=True, slots=True)
class Run:
    """What a post took: alone, and with its delivery to everyone who is connected."""

    alone_ms: float
    whole_ms: float
    arrivals: Arrivals

    @property
    def delivery_ms(self) -> float:
        return self.whole_ms - self.alone_ms


@contextlib.contextmanager
def place(name: str, past: Archive) -> Iterator[Place]:
    """Fill and serve Microblog, by plain hypercorn."""
    secret, begun = secrets.token_hex(32), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="microblog-growth-") as folder:
        stage.migrate(Path(folder))
        filling.fill(Path(folder) / "microblog.db", past)
        people = [FIRST_WRITER, *past.listeners[:SOCKETS]]
        author, *listeners = asyncio.run(stage.admit(Path(folder), secret, people))
        server = contestants.product(Path(folder) / "microblog.db", secret, take=True)
    with server:
        print(f"{name}: ready after {time.monotonic() - begun:.0f} s", flush=True)
        yield Place(
            name, server, author.token, [contestants.live_headers(p.cookie) for p in listeners]
        )


def run_once(here: Place, crowd: Crowd, options: argparse.Namespace) -> Run:
    """Publish while nobody is connected, then while the crowd is."""
    assert here.server.process is not None
    group = here.server.process.pid
    publisher = ApiPublisher(here.server.port, here.token)

    def cost() -> tuple[float, dict[int, float]]:
        publish(publisher, WARM_POSTS, options.rate)
        before = accounting.cpu_seconds(group)
        started = publish(publisher, options.each, options.rate)
        time.sleep(0.2)
        return 1000 * (accounting.cpu_seconds(group) - before) / options.each, started

    alone, _ = cost()
    crowd.open(Open(here.server.port, "/live?topics=home", here.headers))
    whole, started = cost()
    arrivals = crowd.wait(Await(started, WAIT_SECONDS))
    crowd.leave()
    publisher.close()
    if arrivals.missed:
        raise RuntimeError(f"{here.name}: {arrivals.missed} deliveries are missing")
    return Run(alone, whole, arrivals)


def table(runs: dict[str, list[Run]]) -> str:
    head = ["microblog with", "CPU ms a post, nobody connected", f"with {SOCKETS} sockets"]
    head += ["the difference", "p50 ms", "p99 ms", "deliveries", "missed"]
    rows = [
        [
            name,
            spread([run.alone_ms for run in seen], 2),
            spread([run.whole_ms for run in seen], 2),
            spread([run.delivery_ms for run in seen], 2),
            spread([run.arrivals.p50_ms for run in seen]),
            spread([run.arrivals.p99_ms for run in seen]),
            str(sum(run.arrivals.deliveries for run in seen)),
            str(sum(run.arrivals.missed for run in seen)),
        ]
        for name, seen in runs.items()
    ]
    return tables.markdown(head, rows)


def verdicts(runs: dict[str, list[Run]]) -> str:
    (small, few), *others = runs.items()
    targets = []
    for name, seen in others:
        whole = ratios([run.whole_ms for run in seen], [run.whole_ms for run in few])
        alone = ratios([run.alone_ms for run in seen], [run.alone_ms for run in few])
        targets.append(
            Target(
                f"P10: {name}: CPU a post with its delivery ≤ {GROWTH} × {small}",
                f"{spread(whole, 2)} ×; nobody connected {spread(alone, 2)} ×",
                median(whole) <= GROWTH,
            )
        )
    return tables.verdicts(targets)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1_000_000, help="of the large database")
    parser.add_argument("--followers", type=int, default=100_000, help="who are not connected")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--each", type=int, default=60, help="posts measured at a time")
    parser.add_argument("--rate", type=float, default=12.0, help="posts a second")
    chosen = parser.parse_args()
    if chosen.posts < SMALL_POSTS or chosen.followers < 1 or chosen.rounds < 1 or chosen.each < 1:
        parser.error("out of bounds")
    return chosen


def places(options: argparse.Namespace) -> dict[str, Archive]:
    sizes = [(SMALL_POSTS, 1), (options.posts, 1), (SMALL_POSTS, options.followers)]
    return {
        f"{posts:,} posts, {absent:,} absent": archive(
            posts, writers=WRITERS, followed=100, follows_each=10, audience=SOCKETS + absent
        )
        for posts, absent in sizes
    }


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    with Crowd() as crowd, contextlib.ExitStack() as stack:
        here = [stack.enter_context(place(name, past)) for name, past in places(options).items()]
        runs: dict[str, list[Run]] = {one.name: [] for one in here}
        for number in range(options.rounds):
            turn = number % len(here)  # nobody always comes first
            for one in here[turn:] + here[:turn]:
                run = run_once(one, crowd, options)
                runs[one.name].append(run)
                print(
                    f"round {number + 1}  {one.name:34} CPU {run.alone_ms:.2f} ms a post, "
                    f"{run.whole_ms:.2f} ms with {SOCKETS} sockets",
                    flush=True,
                )
        for one in here:
            for line in report.troubles(one.server.output())[:10]:
                print(f"{one.name}: {line}")
        print("\n" + table(runs) + "\n\n" + verdicts(runs))


if __name__ == "__main__":
    main()
