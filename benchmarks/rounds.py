"""One kind of request to one site for some seconds, and what it cost; for `pages` and `api`."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import accounting
from benchmarks.asking import Answers, Ask, Asker
from benchmarks.sites import Site
from benchmarks.tables import ratios


@dataclass(frozen=True, slots=True)
class Run:
    """One kind of request to one site in one round."""

    answers: Answers
    cpu_seconds: float

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / max(1, self.answers.count)


def measure(asker: Asker, site: Site, kind: str, seconds: float, most: int) -> Run:
    """Send one kind of request for some seconds; every post must be stored, and only once."""
    sent = site.sent[kind]
    requests = sent.requests[: max(1, min(most, len(sent.requests)))]
    before = site.posts() if sent.publishes else 0
    worked = accounting.cpu_seconds(site.group)
    order = Ask(site.server.port, requests, sent.status, seconds, sent.mark, sent.marks, most)
    (answers,) = asker.ask(order)
    run = Run(answers, accounting.cpu_seconds(site.group) - worked)
    if sent.publishes and site.posts() - before != answers.count:
        raise RuntimeError(f"{answers.count} posts, of which {site.posts() - before} are stored")
    return run


def compared(ours: Sequence[Run], others: Sequence[Run]) -> tuple[list[float], list[float]]:
    """Return the ratios of the speed, and of the CPU time a request, round by round."""
    return (
        ratios([r.answers.per_second for r in ours], [r.answers.per_second for r in others]),
        ratios([r.cpu_ms for r in ours], [r.cpu_ms for r in others]),
    )


def tell(number: int, site: Site, kind: str, run: Run) -> None:
    """Print how a round went."""
    answers = run.answers
    print(
        f"round {number + 1}  {site.name:28}  {kind:24}"
        f"{answers.per_second:8.1f}/s  CPU {run.cpu_ms:7.2f} ms  p50 {answers.at(0.5):7.1f} ms  "
        f"p99 {answers.at(0.99):7.1f} ms",
        flush=True,
    )
