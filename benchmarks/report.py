"""What a run has shown, and the tables that are printed of all rounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.contestants import BROADCAST, CEILING, QUEUES
from benchmarks.crowd import Arrivals
from benchmarks.tables import markdown, ratios, spread

_ALARMS = ("Traceback", '"error"', "[error", '"warning"', "[warning", "Task was destroyed")


@dataclass(frozen=True, slots=True)
class Run:
    """One server in one round. `alone_seconds` is what the posts cost where nobody listens."""

    name: str
    arrivals: Arrivals
    cpu_seconds: float
    alone_seconds: float
    per_second: float
    connect_ms: float
    connected_kib: float
    used_kib: float
    troubles: Sequence[str]

    @property
    def whole_us(self) -> float:
        """CPU microseconds a delivery, with all that publishing takes."""
        return 1e6 * self.cpu_seconds / max(1, self.arrivals.deliveries)

    @property
    def delivery_us(self) -> float:
        """CPU microseconds a delivery, less what the post costs where nobody listens."""
        return 1e6 * (self.cpu_seconds - self.alone_seconds) / max(1, self.arrivals.deliveries)


def troubles(output: str) -> list[str]:
    """Return the lines of a server's log that should not be there."""
    return [line for line in output.splitlines() if any(mark in line for mark in _ALARMS)]


def line(number: int, run: Run) -> str:
    """Return a line that tells how far we are."""
    came = run.arrivals
    text = (
        f"round {number}  {run.name:28} {run.delivery_us:6.1f} µs a delivery "
        f"({run.whole_us:.1f} with the post), p50 {came.p50_ms:.0f} ms, p99 {came.p99_ms:.0f} ms, "
        f"{run.per_second:.1f} posts/s, {came.deliveries} deliveries, missed {came.missed}, "
        f"doubled {came.doubled}, closed {came.closed}"
    )
    return "\n    ".join([text, *run.troubles[:10]])


COLUMNS: dict[str, Callable[[Run], float]] = {
    "CPU µs a delivery": lambda run: run.delivery_us,
    "with the post": lambda run: run.whole_us,
    "p50 ms": lambda run: run.arrivals.p50_ms,
    "p99 ms": lambda run: run.arrivals.p99_ms,
    "KiB a connection": lambda run: run.connected_kib,
    "after the posts": lambda run: run.used_kib,
    "CPU ms a handshake": lambda run: run.connect_ms,
}


def table(rounds: Sequence[Sequence[Run]]) -> str:
    """Return the median of the rounds, with the least and the greatest; then the ratios."""
    by_name: dict[str, list[Run]] = {}
    for runs in rounds:
        for run in runs:
            by_name.setdefault(run.name, []).append(run)
    head = ["server", *COLUMNS, "deliveries", "missed", "doubled"]
    rows = [
        [name]
        + [spread([value(run) for run in runs]) for value in COLUMNS.values()]
        + [str(sum(run.arrivals.deliveries for run in runs))]
        + [str(sum(run.arrivals.missed for run in runs))]
        + [str(sum(run.arrivals.doubled for run in runs))]
        for name, runs in by_name.items()
    ]
    ours = [name for name in by_name if name.startswith("microblog")]
    against = [name for name in (BROADCAST, CEILING, QUEUES) if name in by_name]
    values = (COLUMNS["CPU µs a delivery"], COLUMNS["with the post"])
    compared = [
        [f"{one} / {other}", *(_ratio(by_name[one], by_name[other], value) for value in values)]
        for one in ours
        for other in against
    ]
    costs = ["ratio, each within its round", "of CPU a delivery", "with the post"]
    return "\n" + markdown(head, rows) + "\n\n" + markdown(costs, compared)


def _ratio(ours: Sequence[Run], others: Sequence[Run], value: Callable[[Run], float]) -> str:
    return spread(ratios([value(run) for run in ours], [value(run) for run in others]), digits=2)
