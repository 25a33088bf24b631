"""Every column of every model in the body of a request, and what it wrote because of that: S5."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer

from microblog.models import Model
from tests.hostile.asking import Answer, Way
from tests.hostile.stage import Rows, Stage

MOMENT = "2001-02-03T04:05:06"
NUMBER = 424_242
VALID = {  # other than in tests/web/scene.py
    "role": "admin",
    "language": "fr",
    "theme": "light",
    "email": "planted@example.org",
    "username": "planted_name",
}
OF_A_PERSON = ("user_id", "actor_id", "author_id", "follower_id", "followed_id")
OF_A_POST = ("post_id", "reply_to_id", "accepted_id", "ref_id")
COUNTED = {"try"}  # who came how often: written by whoever comes to a door
KINDS = ("form", "json")
SHOWN = 10  # of a value: a day of a moment

Body = dict[str, Any]


def planted(stage: Stage) -> Body:
    """Return a value for every column there is, by which it is known again; ids are June's."""
    columns = [column for table in Model.metadata.sorted_tables for column in table.columns]
    return {column.name: _value(stage, column) for column in columns}


def _value(stage: Stage, column: Column[Any]) -> Any:
    if column.name in VALID:
        return VALID[column.name]
    if column.name.endswith(OF_A_PERSON):
        return stage.june.id
    if column.name.endswith(OF_A_POST):
        return stage.post_of_june
    if isinstance(column.type, Boolean):
        return True
    if isinstance(getattr(column.type, "impl", column.type), DateTime):
        return MOMENT
    if isinstance(column.type, Integer):
        return NUMBER
    return f"planted {column.name}"


async def writes(stage: Stage, way: Way) -> frozenset[str]:
    """Return what a request writes: by a good body, and by all that can be put into it.

    `table.column` is a column that it changes in a row, or whose value in a new row is the
    body's; `+table` and `-table` are rows that come and go.
    """
    if way.is_safe:
        return frozenset()
    good = await stage.body(way)
    role, before, usual = await _by_whom(stage, way, good)
    seen = _changes(before, usual)
    for kind in KINDS if "data" not in good else ():
        fields = good.get(kind, {})
        for extra in await _accepted(stage, way, role, kind, fields):
            _, before, after = await stage.ask(way, role, **{kind: fields | extra})
            seen |= _changes(before, after) | _decided(before, after, usual, extra)
    return frozenset(seen)


async def _by_whom(stage: Stage, way: Way, good: Body) -> tuple[str, Rows, Rows]:
    """Return who can do it, and the rows before and after."""
    for role in ("owner", "admin", "anonymous"):
        _, before, after = await stage.ask(way, role, **good)
        if before != after:
            break
    return role, before, after


async def _accepted(stage: Stage, way: Way, role: str, kind: str, good: Body) -> list[Body]:
    """Return what can be put into a body without its being refused: all together, if it can."""
    extra = planted(stage)
    for _ in range(3):
        answer, _, _ = await stage.ask(way, role, **{kind: good | extra})
        if answer.status < 400:
            return [extra]
        if kind != way.kind:
            return []  # the other kind of body is not read at all
        named = _named(answer) & extra.keys() or good.keys() & extra.keys()
        if not named:
            break
        extra = {name: value for name, value in extra.items() if name not in named}
    return [{name: value} for name, value in extra.items()]


def _named(answer: Answer) -> set[str]:
    """Return the fields that a program is told are wrong."""
    try:
        return set(json.loads(answer.body).get("errors", {}))
    except ValueError:
        return set()


def _changes(before: Rows, after: Rows) -> set[str]:
    seen = set()
    for table in after.keys() - COUNTED:
        old, new = before[table], after[table]
        seen |= {f"+{table}" for _ in new.keys() - old.keys()}
        seen |= {f"-{table}" for _ in old.keys() - new.keys()}
        for key in old.keys() & new.keys():
            seen |= {f"{table}.{name}" for name in old[key] if old[key][name] != new[key][name]}
    return seen


def _decided(before: Rows, after: Rows, usual: Rows, extra: Mapping[str, Any]) -> set[str]:
    """Return the columns of new rows that hold what was planted, and nothing else's value."""
    values = {_shown(value) for value in extra.values()}
    seen = set()
    for table in after.keys() - COUNTED:
        for key in after[table].keys() - before[table].keys():
            for name, value in after[table][key].items():
                known = {_shown(row[name]) for row in usual[table].values()}
                if _shown(value) in values - known:
                    seen.add(f"{table}.{name}")
    return seen


def _shown(value: Any) -> str:
    return str(int(value) if isinstance(value, bool) else value)[:SHOWN]
