"""The main figures of the server, as the page for administrators shows them, live or not."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup
from prometheus_client.samples import Sample

from microblog.core.tasks import State
from microblog.edge import language
from microblog.edge.figures import Figures
from microblog.edge.room import ALWAYS_SERVED
from microblog.edge.templates import environment

FAULTS = 500  # and above: our own


@dataclass(frozen=True, slots=True)
class Speed:
    """In how many milliseconds half, and 99 of 100, were done at most; None while unknown.

    The bound of a bucket of the histogram, so never less than the truth; infinite beyond the last.
    """

    half: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What an administrator looks at first; of the whole time that the server runs."""

    at: datetime
    database_up: bool
    processes: int
    requests: int
    faults: int
    requests_now: int
    answering: Speed
    sockets: int
    deliveries: int
    delivering: Speed
    log_head: int | None
    log_lag: int | None
    connections_used: int
    connections_most: int
    jobs_waiting: int
    jobs_running: int
    jobs_dead: int
    mails_sent: int
    mails_failed: int


def summary(figures: Figures) -> Summary:
    """Choose the main ones. Requests that machines make to look after us are left out."""
    requests = [s for s in _samples(figures, "requests", "_total") if _is_peoples(s)]
    jobs = list(_samples(figures, "jobs"))
    mails = list(_samples(figures, "mails", "_total"))
    return Summary(
        at=datetime.now(UTC),
        database_up=bool(_sum(_samples(figures, "database_up"))),
        processes=_sum(_samples(figures, "processes")),
        requests=_sum(requests),
        faults=_sum(s for s in requests if int(s.labels["status"]) >= FAULTS),
        requests_now=_sum(_samples(figures, "requests_in_progress")),
        answering=_speed(figures, "request_seconds"),
        sockets=_sum(_samples(figures, "sockets")),
        deliveries=_sum(_samples(figures, "deliveries", "_total")),
        delivering=_speed(figures, "delivery_seconds"),
        log_head=_only(figures, "log_head"),
        log_lag=_only(figures, "log_lag"),
        connections_used=_sum(_samples(figures, "database_connections_in_use")),
        connections_most=_sum(_samples(figures, "database_connections_most")),
        jobs_waiting=_sum(s for s in jobs if s.labels["state"] == State.WAITING),
        jobs_running=_sum(
            s for s in jobs if s.labels["state"] in {State.RUNNING, State.CANCELLING}
        ),
        jobs_dead=_sum(s for s in jobs if s.labels["state"] == State.DEAD),
        mails_sent=_sum(s for s in mails if s.labels["outcome"] == "sent"),
        mails_failed=_sum(s for s in mails if s.labels["outcome"] != "sent"),
    )


def markup(known: Summary) -> Markup:
    """Return the figures in the language being spoken; the same in a page and in a frame."""
    template = environment(language.current()).get_template("administration/_figures.html")
    return Markup(template.render(known=known))  # noqa: S704 - an autoescaped template


def _samples(figures: Figures, name: str, suffix: str = "") -> Iterable[Sample]:
    metric = figures.get(f"microblog_{name}")
    wanted = f"microblog_{name}{suffix}"
    return [s for s in metric.samples if s.name == wanted] if metric is not None else []


def _is_peoples(sample: Sample) -> bool:
    return not sample.labels.get("route", "").startswith(ALWAYS_SERVED)


def _sum(samples: Iterable[Sample]) -> int:
    return int(sum(sample.value for sample in samples))


def _only(figures: Figures, name: str) -> int | None:
    return next((int(sample.value) for sample in _samples(figures, name)), None)


def _speed(figures: Figures, name: str) -> Speed:
    """Read off a histogram, whose buckets count all that lies below their bounds."""
    counts: dict[float, float] = {}
    for sample in _samples(figures, name, "_bucket"):
        if _is_peoples(sample):
            bound = float(sample.labels["le"])
            counts[bound] = counts.get(bound, 0.0) + sample.value
    return Speed(_bound(counts, 0.5), _bound(counts, 0.99))


def _bound(counts: dict[float, float], share: float) -> float | None:
    total = counts.get(math.inf, 0.0)
    if not total:
        return None
    return next(1000 * bound for bound in sorted(counts) if counts[bound] >= share * total)
