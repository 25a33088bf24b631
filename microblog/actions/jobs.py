"""The bookkeeping of jobs: who has which, how it ended, and when it is tried again.

`jobs` calls this for its workers, `cli` and pages for people. A run is named by its worker and
its attempt, so that one which was taken over meanwhile changes nothing any more.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, update

from microblog.actions import notifications
from microblog.core import events, notices
from microblog.core.errors import Conflict, NotFound, message
from microblog.core.tasks import Cancelled, Lost, State
from microblog.database import Tx
from microblog.models import Job, table
from microblog.queries import jobs
from microblog.queries.jobs import Due, Held, ListedJob

_job = table(Job)
_CLAIM = (
    update(_job)
    .where(_job.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=State.RUNNING,
        claimed_by=bindparam("worker"),
        attempt=_job.c.attempt + 1,
        due_at=bindparam("until"),
        again=False,
        progress=0,
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One run of a job by one worker."""

    job_id: int
    kind: str
    payload: dict[str, Any]
    user_id: int | None
    worker: str
    attempt: int


# --- Workers -----------------------------------------------------------------------------------


async def claim(
    tx: Tx, worker: str, kinds: Collection[str], limit: int, now: datetime, lease: timedelta
) -> list[Claim]:
    """Take at most `limit` jobs that are due, for as long as `lease` unless it is put off.

    They are those that wait, and those whose worker died. One that was to stop when its worker
    died stops here.
    """
    found = await jobs.due(tx, kinds, now, limit)
    for one in found:
        if one.state == State.CANCELLING:
            await _finish(tx, one.id, one.user_id, State.CANCELLED, now)
    taken = [one for one in found if one.state != State.CANCELLING]
    if taken:
        ids = [one.id for one in taken]
        await tx.execute(_CLAIM, {"ids": ids, "worker": worker, "until": now + lease})
    for one in taken:
        _tell(tx, one.user_id, one.id)
    return [_claimed(one, worker) for one in taken]


def _claimed(one: Due, worker: str) -> Claim:
    return Claim(one.id, one.kind, one.payload, one.user_id, worker, one.attempt + 1)


async def keep(tx: Tx, worker: str, ids: Collection[int], until: datetime) -> set[int]:
    """Say that a worker is alive and at these jobs; return those that are to stop."""
    mine = _job.c.id.in_(ids), _job.c.claimed_by == worker, _job.c.due_at.is_not(None)
    await tx.execute(update(_job).where(*mine).values(due_at=until))
    return await jobs.to_be_cancelled(tx, ids)


async def progress(tx: Tx, run: Claim, percent: int, until: datetime) -> None:
    """Note how far a run has come, and tell whose job it is; raises Cancelled or Lost."""
    held = await _held(tx, run)
    await _change(tx, held.id, progress=percent, due_at=until)
    _tell(tx, held.user_id, held.id)


async def complete(tx: Tx, run: Claim, now: datetime, next_at: datetime | None) -> None:
    """Note that a run has done its work; raises Cancelled or Lost.

    Call it first in a transaction: it locks the job, so nobody takes it over before the commit. A
    job of nobody's leaves no trace; what comes again (`next_at`), or was wanted again meanwhile,
    waits for its time.
    """
    held = await _held(tx, run)
    if held.again or next_at is not None:
        at = now if held.again else next_at
        await _wait(tx, held, at, attempt=0, progress=0, error=None)
    else:
        await _finish(tx, held.id, held.user_id, State.DONE, now)


async def fail(
    tx: Tx, run: Claim, error: str, now: datetime, retry_at: datetime | None, *, counts: bool
) -> None:
    """Note why a run failed. It waits until `retry_at`; without one it is a dead letter.

    What does not count as an attempt may fail for ever. Does nothing where the run lost its job.
    """
    held = await jobs.held(tx, run.job_id, run.worker, run.attempt)
    if held is None:
        return
    if held.state == State.CANCELLING:
        await _end_cancelled(tx, held, now)
    elif retry_at is not None:
        attempt = run.attempt if counts else run.attempt - 1
        await _wait(tx, held, retry_at, attempt=attempt, error=error)
    elif held.again:  # what was wanted meanwhile has not been tried yet
        await _wait(tx, held, now, attempt=0, error=error)
    else:
        await _finish(tx, held.id, held.user_id, State.DEAD, now, error=error)


async def give_back(tx: Tx, run: Claim, now: datetime) -> None:
    """Let somebody else do what a worker has no time for; it does not count as an attempt."""
    held = await jobs.held(tx, run.job_id, run.worker, run.attempt)
    if held is not None and held.state == State.CANCELLING:
        await _end_cancelled(tx, held, now)
    elif held is not None:
        await _wait(tx, held, now, attempt=run.attempt - 1)
        tx.left_jobs = True


async def stop(tx: Tx, run: Claim, now: datetime) -> None:
    """Note that a run has stopped because it was cancelled."""
    held = await jobs.held(tx, run.job_id, run.worker, run.attempt)
    if held is not None:
        await _end_cancelled(tx, held, now)


# --- People ------------------------------------------------------------------------------------


async def cancel(tx: Tx, job_id: int, now: datetime, *, user_id: int | None = None) -> None:
    """Let an unfinished job not be done; where one runs, it stops as soon as it notices.

    Raises NotFound where there is none, or none of `user_id`'s; Conflict where it is finished.
    """
    found = await jobs.locked(tx, job_id)
    if found is None or (user_id is not None and found.user_id != user_id):
        raise NotFound
    if found.state == State.WAITING:
        await _finish(tx, job_id, found.user_id, State.CANCELLED, now)
    elif found.state == State.RUNNING:
        await _change(tx, job_id, state=State.CANCELLING, again=False)
        _tell(tx, found.user_id, job_id)
    elif found.state != State.CANCELLING:
        raise Conflict(message("This is finished already."))


async def retry(tx: Tx, job_id: int, now: datetime) -> None:
    """Begin anew with a dead or cancelled job, or at once with one that waits.

    Raises NotFound where there is none; Conflict where it runs or is done, or where another has
    its key.
    """
    found = await jobs.locked(tx, job_id)
    if found is None:
        raise NotFound
    if found.state not in {State.WAITING, State.DEAD, State.CANCELLED}:
        raise Conflict(message("This runs, or is done: there is nothing to try again."))
    if found.state != State.WAITING and await _is_held(tx, found):
        raise Conflict(message("The same is about to be done already."))
    await _change(
        tx,
        job_id,
        state=State.WAITING,
        unfinished_key=found.key,
        due_at=now,
        finished_at=None,
        attempt=0,
        progress=0,
        claimed_by=None,
    )
    _tell(tx, found.user_id, job_id)
    tx.left_jobs = True


async def _is_held(tx: Tx, found: ListedJob) -> bool:
    return found.key is not None and bool(await jobs.unfinished_keys(tx, [found.key]))


# --- What both come to -------------------------------------------------------------------------


async def _held(tx: Tx, run: Claim) -> Held:
    held = await jobs.held(tx, run.job_id, run.worker, run.attempt)
    if held is None:
        raise Lost
    if held.state == State.CANCELLING:
        raise Cancelled
    return held


async def _end_cancelled(tx: Tx, held: Held, now: datetime) -> None:
    if held.again:  # it was wanted anew after it had been cancelled
        await _wait(tx, held, now, attempt=0, progress=0, error=None)
    else:
        await _finish(tx, held.id, held.user_id, State.CANCELLED, now)


async def _wait(tx: Tx, held: Held, at: datetime | None, **columns: Any) -> None:
    waiting = {"state": State.WAITING, "due_at": at, "claimed_by": None, "again": False}
    await _change(tx, held.id, **waiting, **columns)
    _tell(tx, held.user_id, held.id)


async def _finish(
    tx: Tx, job_id: int, user_id: int | None, state: State, now: datetime, **columns: Any
) -> None:
    if user_id is None and state is State.DONE:
        await tx.execute(delete(_job).where(_job.c.id == job_id))
        return
    if state is State.DONE:
        columns |= {"progress": 100, "error": None}
    ended = {"state": state, "due_at": None, "unfinished_key": None, "finished_at": now}
    await _change(tx, job_id, **ended, **columns)
    _tell(tx, user_id, job_id)
    if user_id is not None and state is not State.CANCELLED:
        await notifications.notify(tx, user_id, user_id, notices.JOB, now, about_id=job_id)


async def _change(tx: Tx, job_id: int, **columns: Any) -> None:
    await tx.execute(update(_job).where(_job.c.id == job_id).values(**columns))


def _tell(tx: Tx, user_id: int | None, job_id: int) -> None:
    if user_id is not None:
        tx.announce(events.job_changed(user_id, job_id))


async def forget_finished(tx: Tx, now: datetime, *, done: timedelta, dead: timedelta) -> None:
    """Delete jobs that were finished so long ago; dead letters are kept for their own time."""
    for states, kept in (([State.DONE, State.CANCELLED], done), ([State.DEAD], dead)):
        old = _job.c.state.in_(states), _job.c.finished_at < now - kept
        await tx.execute_aside(delete(_job).where(*old))
