"""Tables in Markdown, how far rounds differ, and which targets are met; for every benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached, what was measured, and whether that is enough."""

    name: str
    measured: str
    is_met: bool


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median, with the least and the greatest where there are several."""
    low, middle, high = min(values), median(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide round by round: what disturbs a round disturbs both."""
    return [a / max(b, 1e-9) for a, b in zip(ours, others, strict=True)]


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share (0 to 1) of the ordered values lies; 0 for none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; every column but the first is aligned to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def verdicts(targets: Sequence[Target]) -> str:
    """Return the table of what was to be reached."""
    rows = [[t.name, t.measured, "met" if t.is_met else "**missed**"] for t in targets]
    return markdown(["target", "measured", ""], rows)
