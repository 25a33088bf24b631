"""How a transaction leaves jobs: their rows, and the one statement that respects their keys.

`database` alone writes them, with the transaction of the thing itself; `jobs` carries them out.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, bindparam, literal_column, select
from sqlalchemy.dialects import mysql, postgresql, sqlite

from microblog.core.tasks import LONGEST_KEY, State, Task, payload
from microblog.models import Job, table

_NEW: Mapping[str, Any] = {"state": str(State.WAITING), "again": False, "attempt": 0, "progress": 0}
KEY = ["unfinished_key"]

_job = table(Job).c
OWNED = select(_job.user_id, _job.id).where(
    _job.unfinished_key.in_(bindparam("keys", expanding=True))
)
"""Whose the unfinished jobs with these `keys` are, and their ids."""


def row(task: Task, key: str | None, at: datetime | None, user_id: int | None) -> dict[str, Any]:
    """Return the columns of a new job, without its times; raises ValueError for a long key."""
    if key is not None and len(key) > LONGEST_KEY:
        raise ValueError(f"a key of more than {LONGEST_KEY} characters")
    keys = {"key": key, "unfinished_key": key, "user_id": user_id, "due_at": at}
    return {**_NEW, **keys, "kind": task.kind, "payload": payload(task)}


def ordered(rows: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Return the rows with their times, in the one order in which all wait for keys."""
    timed = [one | {"created_at": now, "due_at": one["due_at"] or now} for one in rows]
    return sorted(timed, key=lambda one: one["key"] or "")


def owned_keys(rows: list[dict[str, Any]]) -> list[str]:
    """Return the keys of rows that are somebody's; who has the page open is told of them."""
    return [one["key"] for one in rows if one["key"] is not None and one["user_id"] is not None]


@cache
def statement(vendor: str) -> Executable:
    """Return what writes jobs. Where an unfinished one has the key, none is added; where that
    one is with a worker already, it is noted that it is wanted again.
    """
    job = table(Job)
    noted = {"again": job.c.state != State.WAITING}
    if vendor == "sqlite":
        return sqlite.insert(job).on_conflict_do_update(index_elements=KEY, set_=noted)
    if vendor == "postgresql":
        return postgresql.insert(job).on_conflict_do_update(index_elements=KEY, set_=noted)
    # Its driver writes many rows in one statement, and has no place for a value behind them.
    waiting: ColumnElement[str] = literal_column(f"'{State.WAITING}'")
    return mysql.insert(job).on_duplicate_key_update({"again": job.c.state != waiting})
