"""What `microblog doctor` finds: a line of what is so, and where it is not well, what to do."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what mends it."""

    name: str
    state: State
    says: str
    mend: str | None = None


def ok(name: str, says: str) -> Finding:
    """Say that something is well."""
    return Finding(name, "ok", says)


def warn(name: str, says: str, mend: str) -> Finding:
    """Say that something works, and that it could hurt somebody."""
    return Finding(name, "warn", says, mend)


def fail(name: str, says: str, mend: str) -> Finding:
    """Say that something does not work."""
    return Finding(name, "fail", says, mend)
