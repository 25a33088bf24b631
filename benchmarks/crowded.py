"""Crowded: five thousand connections, the pages asked for meanwhile, and a client that stalls.

    uv run --with uvloop python benchmarks/crowded.py [--sockets 5000] [--rounds 3]

First the many sockets: how late a post arrives, and how late a page, beside the same server while
nobody is connected, and beside a bare protocol with as many sockets (what the crowd itself takes).
Then one client among a hundred that never reads: how late the others get their posts, with and
without it. Takes five minutes; a handshake costs some milliseconds. `--profile` (with
`--with py-spy`) shows where the time of the many goes instead. Linux.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import asking, contestants, profiling, report, stage, tables
from benchmarks.asking import Answers, Ask, Asker
from benchmarks.contestants import CEILING, Contestant
from benchmarks.crowd import Arrivals, Await, Crowd, Open
from benchmarks.fanout import SPARE_DESCRIPTORS, allow_descriptors, publish
from benchmarks.publishers import LONG_BODY, ApiPublisher, Burst
from benchmarks.stage import Stage
from benchmarks.stalling import Staller
from benchmarks.tables import Target, ratios, spread
from tests.processes import Server

CHUNK = 250
WARM_POSTS = 30
WAIT_SECONDS = 60.0
PAGE_SECONDS = 0.05
PAGE_LINES = 2
AMONG = 100
PRIMING, PRIMING_POSTS = 12, 200
DELIVERY_MS, DELIVERY_P99_MS, PAGE_P99_MS, STALLED = 30.0, 80.0, 50.0, 1.5


class Run(NamedTuple):
    """What was published and asked for in one round."""

    arrivals: Arrivals
    pages: Answers | None


def fill_the_hall(crowd: Crowd, server: Server, entrant: Contestant, count: int) -> None:
    """Connect many, some hundreds at a time, and tell how far it is."""
    begun = time.monotonic()
    for first in range(0, count, CHUNK):
        headers = list(entrant.headers[first : min(first + CHUNK, count)])
        there = crowd.open(Open(server.port, entrant.path, headers))
        if there % 1000 == 0 or there == count:
            took = time.monotonic() - begun
            print(f"{entrant.name}: {there} connected after {took:.0f} s", flush=True)


@contextlib.contextmanager
def running(entrant: Contestant) -> Iterator[Server]:
    server = entrant.make()
    try:
        yield server.start()
        for line in report.troubles(server.output())[:10]:
            print(f"{entrant.name}: {line}")
    finally:
        server.close()


def asked(port: int, ready: Stage, seconds: float) -> Ask:
    """Return an order for somebody's home page, twenty times a second."""
    page = asking.get(port, "/", f"Cookie: {ready.cookies[0]}\r\n")
    mark = b'<article class="post"'
    return Ask(port, [page] * PAGE_LINES, 200, seconds, mark, 25, every_seconds=PAGE_SECONDS)


def many(
    ready: Stage, crowd: Crowd, asker: Asker, options: argparse.Namespace
) -> tuple[list[Answers], list[Run], list[Run], bytes]:
    """Measure the idle server, the crowd with pages, and the crowd without; and take a frame."""
    entrant = contestants.microblog(ready, "explore")
    seconds = options.posts / options.rate
    with running(entrant) as server:
        publisher = entrant.publisher(server.port)
        publish(publisher, WARM_POSTS, 20.0)
        page = asked(server.port, ready, seconds)
        asker.ask(page)
        idle = [asker.ask(page)[0] for _ in range(options.rounds)]
        fill_the_hall(crowd, server, entrant, options.sockets)
        first = crowd.wait(Await(publish(publisher, 5, options.rate), WAIT_SECONDS))
        alone, both = [], []
        for _ in range(options.rounds):
            started = publish(publisher, options.posts, options.rate)
            alone.append(Run(crowd.wait(Await(started, WAIT_SECONDS)), None))
            asker.begin(page)
            started = publish(publisher, options.posts, options.rate)
            arrivals = crowd.wait(Await(started, WAIT_SECONDS))
            both.append(Run(arrivals, asker.end()[0]))
            tell("microblog", both[-1])
        publisher.close()
        crowd.leave()
    return idle, alone, both, first.sample


def profile(ready: Stage, crowd: Crowd, options: argparse.Namespace) -> None:
    """Print where the time goes while posts reach the many."""
    entrant = contestants.microblog(ready, "explore")
    with running(entrant) as server:
        publisher = entrant.publisher(server.port)
        fill_the_hall(crowd, server, entrant, options.sockets)
        assert server.process is not None
        with profiling.sampled(server.process.pid, True):
            started = publish(publisher, options.posts, options.rate)
            tell("microblog", Run(crowd.wait(Await(started, WAIT_SECONDS)), None))
        publisher.close()
        crowd.leave()


def floor(sample: bytes, crowd: Crowd, options: argparse.Namespace) -> list[Run]:
    """Measure the bare protocol with as many sockets and frames of the same size."""
    everyone = contestants.peers(options.sockets, sample)
    entrant = next(each for each in everyone if each.name == CEILING)
    with running(entrant) as server:
        publisher = entrant.publisher(server.port)
        fill_the_hall(crowd, server, entrant, options.sockets)
        crowd.wait(Await(publish(publisher, 5, options.rate), WAIT_SECONDS))
        runs = []
        for _ in range(options.rounds):
            started = publish(publisher, options.posts, options.rate)
            runs.append(Run(crowd.wait(Await(started, WAIT_SECONDS)), None))
            tell(CEILING, runs[-1])
        publisher.close()
        crowd.leave()
    return runs


def tell(name: str, run: Run) -> None:
    pages = f", a page p99 {run.pages.at(0.99):.0f} ms" if run.pages else ""
    came = run.arrivals
    print(
        f"{name}: p50 {came.p50_ms:.0f} ms, p99 {came.p99_ms:.0f} ms, missed {came.missed}, "
        f"doubled {came.doubled}, closed {came.closed}{pages}",
        flush=True,
    )


def stalled(
    ready: Stage, crowd: Crowd, options: argparse.Namespace
) -> tuple[dict[str, list[Run]], list[str]]:
    """Publish long posts to a hundred, by turns with one more who does not read and without."""
    entrant = contestants.microblog(ready, "explore")
    runs: dict[str, list[Run]] = {"without it": [], "one of them stalls": []}
    seen: list[str] = []
    with running(entrant) as server:
        publisher = ApiPublisher(server.port, ready.author_token, LONG_BODY)
        burst = Burst(server.folder / "var" / "microblog.db", ready.author_id, LONG_BODY)
        headers = list(entrant.headers[:AMONG])
        for _ in range(options.rounds):
            for name, seen_runs in runs.items():
                crowd.open(Open(server.port, entrant.path, headers))
                with contextlib.ExitStack() as stack:
                    staller = None
                    if seen_runs is runs["one of them stalls"]:
                        staller = stack.enter_context(
                            Staller(server.port, entrant.path, entrant.headers[AMONG])
                        )
                    for _ in range(PRIMING):  # until what nobody reads has filled every buffer
                        crowd.wait(Await(burst.publish(PRIMING_POSTS), WAIT_SECONDS))
                    started = publish(publisher, options.long_posts, options.long_rate)
                    seen_runs.append(Run(crowd.wait(Await(started, WAIT_SECONDS)), None))
                    if staller is not None:
                        seen.append(staller.told())
                tell(name, seen_runs[-1])
                crowd.leave()
        publisher.close()
    return runs, seen


def verdicts(
    idle: list[Answers],
    both: list[Run],
    few: dict[str, list[Run]],
    options: argparse.Namespace,
) -> str:
    p50 = [run.arrivals.p50_ms for run in both]
    p99 = [run.arrivals.p99_ms for run in both]
    pages = [run.pages.at(0.99) for run in both if run.pages]
    without, with_it = ([run.arrivals.p99_ms for run in runs] for runs in few.values())
    slower = ratios(with_it, without)
    beside = spread(ratios(pages, [each.at(0.99) for each in idle]))
    many_ = f"P4: {options.sockets:,} sockets:"
    return tables.verdicts(
        [
            Target(
                f"{many_} p50 ≤ {DELIVERY_MS:g} ms", f"{spread(p50)}", median(p50) <= DELIVERY_MS
            ),
            Target(
                f"{many_} p99 ≤ {DELIVERY_P99_MS:g} ms",
                f"{spread(p99)}",
                median(p99) <= DELIVERY_P99_MS,
            ),
            Target(
                f"{many_} a page meanwhile, p99 ≤ {PAGE_P99_MS:g} ms",
                f"{spread(pages)} ms; {beside} × the idle server",
                median(pages) <= PAGE_P99_MS,
            ),
            Target(
                f"P5: one stalled of {AMONG + 1}: the others' p99 ≤ {STALLED:g} ×",
                f"{spread(slower, 2)} ×",
                median(slower) <= STALLED,
            ),
        ]
    )


def table(rows: dict[str, list[Run]]) -> str:
    head = ["", "p50 ms", "p99 ms", "a page, p99 ms", "deliveries", "missed", "doubled", "closed"]
    return tables.markdown(
        head,
        [
            [
                name,
                spread([run.arrivals.p50_ms for run in runs]),
                spread([run.arrivals.p99_ms for run in runs]),
                spread([run.pages.at(0.99) for run in runs if run.pages]) if runs[0].pages else "",
                f"{sum(run.arrivals.deliveries for run in runs):,}",
                str(sum(run.arrivals.missed for run in runs)),
                str(sum(run.arrivals.doubled for run in runs)),
                str(sum(run.arrivals.closed for run in runs)),
            ]
            for name, runs in rows.items()
        ],
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=5000, help=f"{AMONG + 1} to 10000")
    parser.add_argument("--posts", type=int, default=16, help="of a round with many sockets")
    parser.add_argument("--rate", type=float, default=2.0, help="posts a second")
    parser.add_argument("--long-posts", type=int, default=200, help="of a round with one stalled")
    parser.add_argument("--long-rate", type=float, default=20.0, help="posts a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where Microblog's time goes")
    chosen = parser.parse_args()
    if not AMONG < chosen.sockets <= 10_000 or chosen.rounds < 1 or chosen.posts < 1:
        parser.error("out of bounds")
    return chosen


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    allow_descriptors(options.sockets + SPARE_DESCRIPTORS)
    with (
        tempfile.TemporaryDirectory(prefix="microblog-crowded-") as folder,
        Crowd() as crowd,
        Asker() as asker,
    ):
        stage.migrate(Path(folder))
        ready = asyncio.run(stage.prepare(Path(folder), options.sockets))
        if options.profile:
            profile(ready, crowd, options)
            return
        few, seen = stalled(ready, crowd, options)
        idle, alone, both, sample = many(ready, crowd, asker, options)
        bare = floor(sample, crowd, options)
    rows = {f"{AMONG} sockets, {name}": runs for name, runs in few.items()}
    rows[f"microblog, {options.sockets:,} sockets"] = alone
    rows["the same, pages asked for"] = both
    rows[f"{CEILING}, {options.sockets:,} sockets"] = bare
    print("\n" + table(rows))
    print(f"\nThe page of the idle server: p99 {spread([each.at(0.99) for each in idle])} ms.")
    print("\n".join(f"The stalled one: {each}." for each in seen))
    print("\n" + verdicts(idle, both, few, options))


if __name__ == "__main__":
    main()
