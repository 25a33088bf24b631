"""What a process counts of its own work, for Prometheus and the page for administrators.

`runtime` makes one; the hub, the edge and the jobs count. `edge.figures` gathers the counts of all
processes of one server: those that `share` a folder write their numbers to files in it, which the
kernel keeps whatever becomes of the process, so that a sum never falls when a worker dies.
"""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    multiprocess,
    values,
)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # nobody asks when a series began


class Measures:
    """The counts of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_requests: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = self._counter(
            "requests", "Requests answered.", "route", "method", "status"
        )
        self._request_seconds = self._histogram(
            "request_seconds", "From a request's head to its answer.", "route", "method"
        )
        self.requests_now = self._gauge("requests_in_progress", "Requests being worked on.")
        self.sockets = self._gauge("sockets", "Live connections that are open.")
        self.deliveries = self._counter("deliveries", "Frames of events written to connections.")
        self.delivery_seconds = self._histogram(
            "delivery_seconds", "From the writing of an event that somebody hears to its frames."
        )
        self.position = self._gauge(
            "log_position", "The last event that every process has dealt with.", mode="livemin"
        )
        self.position.set(math.inf)  # of a process that does not follow the log yet
        self.jobs = self._counter("jobs_ended", "Runs of jobs that ended.", "kind", "outcome")
        self.mails = self._counter("mails", "Mails sent, failed or dropped as too late.", "outcome")
        self.processes = self._gauge("processes", "Processes that serve.")
        self.connections_used = self._gauge("database_connections_in_use", "In somebody's hands.")
        self.connections_open = self._gauge("database_connections_open", "Open, in use or not.")
        self.connections_most = self._gauge("database_connections_most", "May be open at once.")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"microblog_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        name = f"microblog_{name}"
        return Histogram(name, text, labels, registry=self.registry, buckets=SECONDS)

    def _gauge(self, name: str, text: str, mode: Any = "livesum") -> Gauge:
        name = f"microblog_{name}"
        return Gauge(name, text, registry=self.registry, multiprocess_mode=mode)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request; `route` and `method` must come from a short list of ours."""
        known = self._of_requests.get((route, method, status))
        if known is None:
            known = self._of_requests[route, method, status] = (
                self._requests.labels(route, method, status),
                self._request_seconds.labels(route, method),
            )
        known[0].inc()
        known[1].observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """Return what was counted: by all processes that share a folder, or by this one."""
        if folder := os.environ.get(FOLDER):
            files = multiprocess.MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
            return list(files.collect())  # type: ignore[no-untyped-call]
        return list(self.registry.collect())


def share(folder: Path, number: int) -> None:
    """Let this process count in files, under a number that no other living one has.

    Must come before the first `Measures`. Who takes over the number of a dead process goes on with
    its counts, so that there are never more files than processes at a time.
    """
    os.environ[FOLDER] = str(folder)
    made = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
    values.ValueClass = made


def forget(folder: Path, number: int) -> None:
    """Take out what was true of a dead process only while it lived."""
    multiprocess.mark_process_dead(number, str(folder))  # type: ignore[no-untyped-call]
