"""The figures of the whole server: what its processes counted, and what the database says.

`web.metrics` hands them to Prometheus; the page for administrators shows the main ones.
"""

import asyncio
import math
from collections.abc import Mapping

from prometheus_client import Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily

from microblog.core.errors import Unavailable
from microblog.queries import events, jobs
from microblog.runtime import Runtime

POSITION = "microblog_log_position"

Figures = Mapping[str, Metric]


async def gather(now: Runtime) -> Figures:
    """Return every figure by its name, of all processes of this server.

    Where the database is away, `microblog_database_up` says so and what it knows is left out.
    """
    now.measure()
    known: list[Metric] = []
    head: int | None = None
    try:
        async with now.database.read() as read:
            head = (await events.head(read)).cursor
            known.append(_of_jobs(await jobs.counts(read)))
    except Unavailable:
        head = None
    counted = await asyncio.to_thread(lambda: list(now.measures.collect()))
    found = {metric.name: metric for metric in counted}
    known.append(_one("database_up", "Whether the database answers.", head is not None))
    if head is not None:
        known += _of_log(head, found.get(POSITION))
    found |= {metric.name: metric for metric in known}
    _drop_infinite(found)
    return found


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"microblog_{name}", text, value=value)


def _of_jobs(counts: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily("microblog_jobs", "Jobs in the database.", labels=("kind", "state"))
    for labels, count in sorted(counts.items()):
        family.add_metric(labels, count)
    return family


def _of_log(head: int, position: Metric | None) -> list[Metric]:
    """Tell the end of the log, and how far the slowest process is behind it."""
    told = [_one("log_head", "The last event of the log.", head)]
    reached = position.samples[0].value if position and position.samples else math.inf
    if math.isfinite(reached):
        lag = max(0, head - reached)
        told.append(_one("log_lag", "Events that the slowest process has still to deal with.", lag))
    return told


def _drop_infinite(found: dict[str, Metric]) -> None:
    """Leave out the position while no process follows the log."""
    position = found.get(POSITION)
    if position and not all(math.isfinite(sample.value) for sample in position.samples):
        del found[POSITION]


class _Given:
    """What was gathered, as the library wants it."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> list[Metric]:
        return sorted(self._figures.values(), key=lambda metric: metric.name)


def as_text(figures: Figures) -> bytes:
    """Return the figures in the text format of Prometheus, version 0.0.4."""
    return generate_latest(_Given(figures))
