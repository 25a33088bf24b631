"""Jobs: what is due, what a worker holds, and how far somebody's own have come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from microblog.core.tasks import State
from microblog.database import Read
from microblog.models import Job, table

_job = table(Job).c
_KINDS = _job.kind.in_(bindparam("kinds", expanding=True))
_NEXT_DUE = (
    select(_job.due_at).where(_job.due_at.is_not(None), _KINDS).order_by(_job.due_at).limit(1)
)
# On a server others pass by the rows that one looks at; SQLite has one writer anyway.
_DUE = (
    select(_job.id, _job.kind, _job.payload, _job.user_id, _job.attempt, _job.state)
    .where(_job.due_at <= bindparam("now"), _KINDS)
    .order_by(_job.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_HELD = (
    select(_job.id, _job.state, _job.again, _job.user_id, _job.progress)
    .where(
        _job.id == bindparam("job_id"),
        _job.claimed_by == bindparam("worker"),
        _job.attempt == bindparam("attempt"),
        _job.state.in_([State.RUNNING, State.CANCELLING]),
    )
    .with_for_update()
)


class JobRow(NamedTuple):
    """A job as its person sees it."""

    id: int
    kind: str
    state: str
    progress: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_unfinished(self) -> bool:
        return self.finished_at is None


class ListedJob(NamedTuple):
    """A job as the owner of the server sees it."""

    id: int
    kind: str
    state: str
    attempt: int
    progress: int
    due_at: datetime | None
    key: str | None
    claimed_by: str | None
    user_id: int | None
    error: str | None
    created_at: datetime


class Due(NamedTuple):
    """A job that a worker may take."""

    id: int
    kind: str
    payload: dict[str, Any]
    user_id: int | None
    attempt: int
    state: str


class Held(NamedTuple):
    """A job that a worker has, locked until the end of the transaction."""

    id: int
    state: str
    again: bool
    user_id: int | None
    progress: int


_SHOWN = tuple(_job[name] for name in JobRow._fields)
_LISTED = tuple(_job[name] for name in ListedJob._fields)


async def next_due(read: Read, kinds: Collection[str]) -> datetime | None:
    """Return when the next job of these kinds is due, which may be past; None without any."""
    found = await read.execute(_NEXT_DUE, {"kinds": list(kinds)})
    due: datetime | None = found.scalar()
    return due


async def due(read: Read, kinds: Collection[str], now: datetime, limit: int) -> list[Due]:
    """Return jobs that may be taken, longest due first, and lock them; others pass them by."""
    found = await read.execute(_DUE, {"kinds": list(kinds), "now": now, "limit": limit})
    return [Due._make(row) for row in found]


async def held(read: Read, job_id: int, worker: str, attempt: int) -> Held | None:
    """Return the job that this run is about and lock it, or None where the run has lost it."""
    found = await read.execute(_HELD, {"job_id": job_id, "worker": worker, "attempt": attempt})
    row = found.one_or_none()
    return None if row is None else Held._make(row)


async def to_be_cancelled(read: Read, ids: Collection[int]) -> set[int]:
    """Return those of the jobs that are to stop."""
    statement = select(_job.id).where(_job.id.in_(ids), _job.state == State.CANCELLING)
    return set(await read.scalars(statement))


async def unfinished_keys(read: Read, keys: Collection[str]) -> set[str]:
    """Return those of the keys that an unfinished job has."""
    statement = select(_job.unfinished_key).where(_job.unfinished_key.in_(keys))
    return set(await read.scalars(statement))


async def locked(read: Read, job_id: int) -> ListedJob | None:
    """Return a job, locked until the end of the transaction."""
    statement = select(*_LISTED).where(_job.id == job_id).with_for_update()
    row = (await read.execute(statement)).one_or_none()
    return None if row is None else ListedJob._make(row)


async def listed(read: Read, states: Collection[str], limit: int) -> list[ListedJob]:
    """Return jobs in these states, newest first."""
    statement = select(*_LISTED).where(_job.state.in_(states)).order_by(_job.id.desc())
    return [ListedJob._make(row) for row in await read.execute(statement.limit(limit))]


async def by_ids(read: Read, ids: Sequence[int]) -> dict[int, JobRow]:
    """Return jobs by id as their people see them; ids that are gone are left out."""
    if not ids:
        return {}
    statement = select(*_SHOWN).where(_job.id.in_(ids))
    return {row[0]: JobRow._make(row) for row in await read.execute(statement)}


async def own(read: Read, user_id: int, job_id: int) -> JobRow | None:
    """Return a person's own job, or None."""
    statement = select(*_SHOWN).where(_job.id == job_id, _job.user_id == user_id)
    row = (await read.execute(statement)).one_or_none()
    return None if row is None else JobRow._make(row)


async def latest(read: Read, user_id: int, kind: str) -> JobRow | None:
    """Return a person's latest job of a kind, or None."""
    statement = select(*_SHOWN).where(_job.user_id == user_id, _job.kind == kind)
    row = (await read.execute(statement.order_by(_job.id.desc()).limit(1))).one_or_none()
    return None if row is None else JobRow._make(row)


async def counts(read: Read) -> dict[tuple[str, str], int]:
    """Return how many jobs there are, by kind and state."""
    statement = select(_job.kind, _job.state, func.count()).group_by(_job.kind, _job.state)
    return {(kind, state): count for kind, state, count in await read.execute_aside(statement)}
