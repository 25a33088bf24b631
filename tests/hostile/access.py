"""The table in `access.txt`, and how each part of it is found out: for S3, S4 and S5.

One line a route and method: what each role is told, whose the things are that its address names,
and what a request of it writes. `uv run pytest -m S3` says how to add a line.
"""

from dataclasses import dataclass
from pathlib import Path

from werkzeug.routing import AnyConverter

from tests.hostile.asking import Way
from tests.hostile.planting import writes
from tests.hostile.stage import ROLES, Stage

FILE = Path(__file__).with_name("access.txt")
NOTHING = "-"
ABSENT_NUMBER, ABSENT_NAME = "999999999", "nobody_here"


@dataclass(frozen=True)
class Line:
    """One route and method as it should be, or as it is."""

    name: str
    told: tuple[str, ...]
    things: str
    writes: frozenset[str]

    def __str__(self) -> str:
        method, _, path = self.name.partition(" ")
        told = " ".join(f"{each:<5}" for each in self.told)
        writes = " ".join(sorted(self.writes)) or NOTHING
        return f"{method:<6} {path:<37} {told} {self.things:<6} {writes}"


def table() -> dict[str, Line]:
    """Read the table."""
    lines = [line.split("#")[0].split() for line in FILE.read_text().splitlines()]
    return {line.name: line for line in map(_line, filter(None, lines))}


def _line(parts: list[str]) -> Line:
    method, path, *rest = parts
    told, things, writes = rest[: len(ROLES)], rest[len(ROLES)], rest[len(ROLES) + 1 :]
    return Line(f"{method} {path}", tuple(told), things, frozenset(writes) - {NOTHING})


def add(lines: list[Line]) -> None:
    """Write lines into the table, each where its address belongs."""
    head = [line for line in FILE.read_text().splitlines() if line.startswith("#")]
    both = table() | {line.name: line for line in lines}
    rest = sorted(both.values(), key=lambda line: (line.name.split()[1], line.name))
    FILE.write_text("\n".join([*head, *map(str, rest)]) + "\n")


async def found(stage: Stage, way: Way) -> Line:
    """Find out all of a line."""
    return Line(
        way.name, await told(stage, way), await things(stage, way), await writes(stage, way)
    )


# --- S3: what everybody is told ------------------------------------------------------------------


async def told(stage: Stage, way: Way) -> tuple[str, ...]:
    """Return what each role is told."""
    return tuple([(await stage.ask(way, role))[0].told for role in ROLES])


# --- S4: whose the things are that an address names ----------------------------------------------


async def things(stage: Stage, way: Way) -> str:
    """Return "own" where another's thing is as one that is not there, to whoever asks for it.

    "public" where it is not, "secret" where knowing the address is what lets one in.
    """
    converters = way.rule._converters
    names = [name for name in converters if not isinstance(converters[name], AnyConverter)]
    if not names:
        return NOTHING
    if "token" in names:
        return "secret"
    for name in sorted(names):
        if await _differs(stage, way, name):
            return "public"
    return "own"


async def _differs(stage: Stage, way: Way, name: str) -> bool:
    is_number = stage.parts(way)[name].isdigit()
    absent = {name: ABSENT_NUMBER if is_number else ABSENT_NAME}
    there, gone = stage.address(way), stage.address(way, **absent)
    told = [await stage.ask(way, "other", address=address) for address in (there, gone)]
    return told[0][0].without(there) != told[1][0].without(gone)
