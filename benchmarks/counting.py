"""Counting: what it adds to a request, to an event and to the frames of a group of connections.

    uv run python benchmarks/counting.py

Each is done many times, by turns as one process counts and as several that share a folder do; the
table has the median of the rounds, in microseconds of CPU time. Takes half a minute.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import structlog

from benchmarks import tables
from microblog import measures
from microblog.measures import Measures

TIMES, ROUNDS = 50_000, 7


def works(counts: Measures) -> dict[str, Callable[[], object]]:
    """Return what is done once a request, once an event, and once for up to 250 connections."""
    return {
        "a request: its number for the log": lambda: structlog.contextvars.bind_contextvars(
            request_id="0f8b2c4d6e8fa0b1"
        ),
        "a request: its count and time": lambda: counts.answered("/explore", "GET", 200, 0.004),
        "an event: its delay": lambda: counts.delivery_seconds.observe(0.004),
        "a page of events: the position": lambda: counts.position.set(1),
        "250 connections: their frames": lambda: counts.deliveries.inc(250),
    }


def microseconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one."""
    begun = time.process_time()
    for _ in range(TIMES):
        work()
    return (time.process_time() - begun) / TIMES * 1e6


def main() -> None:
    seen: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    alone = works(Measures())
    for work in alone.values():
        work()  # from now on it counts as it began
    with tempfile.TemporaryDirectory(prefix="microblog-counting-") as folder:
        measures.share(Path(folder), 0)
        shared = works(Measures())
        for _ in range(ROUNDS):
            for name in alone:
                seen[name][0].append(microseconds(alone[name]))
                seen[name][1].append(microseconds(shared[name]))
    rows = [[name, *(tables.spread(each, 2) for each in both)] for name, both in seen.items()]
    print(tables.markdown(["µs of CPU", "one process", "one of several"], rows))


if __name__ == "__main__":
    main()
