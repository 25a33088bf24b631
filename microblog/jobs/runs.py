"""One run of a job, from the call of its handler to how it ended. `worker` begins them."""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from microblog.actions import jobs
from microblog.core import tasks
from microblog.core.errors import Unavailable
from microblog.core.tasks import Cancelled, Lost, SendMail
from microblog.database import Tx
from microblog.finishing import finished
from microblog.jobs.work import Failed, Handler, Hopeless, Job, NotNow

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 3600.0
LONGEST_REASON = 500
PACKAGE = Path(__file__).parents[1]

log = structlog.get_logger(__name__)


async def carry_out(job: Job, handler: Handler) -> None:
    """Let a handler do its work, and note how that ended. Raises nothing.

    Where the end cannot be noted, the job counts as abandoned after its lease, and is done again.
    """
    try:
        await _ended(job, handler)
    except Unavailable:
        log.warning("job.database_away", **_named(job))
    except Exception:
        log.exception("job.not_noted", **_named(job))


async def _ended(job: Job, handler: Handler) -> None:
    try:
        if handler.every is None and job.attempt > handler.attempts:
            raise Failed("Its worker died each time.")
        await handler.work(job, tasks.task(handler.task, job.run.payload))
        await job.finish()
        _count(job, "done")
    except Lost:
        _count(job, "lost")
        log.warning("job.lost", **_named(job))
    except Cancelled:
        _count(job, "cancelled")
        await _note(job, lambda tx, now: jobs.stop(tx, job.run, now))
    except asyncio.CancelledError:
        if _is_asked_to_stop():  # its worker has no more time for it, or it was cancelled
            _count(job, "given_back")
            await _note(job, lambda tx, now: jobs.give_back(tx, job.run, now))
        else:
            await _failed(job, handler, Failed("Something that it waited for was cancelled."))
    except Exception as error:  # noqa: BLE001 - whatever it was, it is told and tried again
        await _failed(job, handler, error)


def _is_asked_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _failed(job: Job, handler: Handler, error: Exception) -> None:
    told, counts = reason(error), not isinstance(error, NotNow)
    if job.is_settled:
        log.error("job.failed_after_its_end", error=told, **_named(job))
        return
    if not isinstance(error, Failed | NotNow | Unavailable) and job.run.kind != SendMail.kind:
        job.runtime.report(error, f"job {job.run.kind}")  # a mail that fails is told by no mail
    wait: timedelta | None = pause(job.attempt)
    if isinstance(error, NotNow):
        wait = timedelta(seconds=error.retry_seconds)
    elif isinstance(error, Hopeless) or (handler.every is None and job.attempt >= handler.attempts):
        wait = None
    _count(job, "dead" if wait is None else "failed")
    if wait is None:
        log.error("job.dead", error=told, **_named(job))
    else:
        seconds = round(wait.total_seconds(), 1)
        log.warning("job.failed", error=told, retry_seconds=seconds, **_named(job))

    async def fail(tx: Tx, now: datetime) -> None:
        retry_at = None if wait is None else now + wait
        await jobs.fail(tx, job.run, told, now, retry_at, counts=counts)

    await _note(job, fail)


async def _note(job: Job, change: Callable[[Tx, datetime], Awaitable[None]]) -> None:
    async def write() -> None:
        async with job.runtime.database.write() as tx:
            await change(tx, datetime.now(UTC))

    await finished(write())


def _count(job: Job, outcome: str) -> None:
    job.runtime.measures.jobs.labels(job.run.kind, outcome).inc()


def _named(job: Job) -> dict[str, object]:
    return {"job": job.id, "kind": job.run.kind, "attempt": job.attempt}


def reason(error: BaseException) -> str:
    """Say what went wrong without a word that could be secret or somebody's.

    Only what handlers say in words of their own is repeated. What a library says may hold
    addresses, passwords or texts: of that its kind is told, and where in our code it came up.
    """
    if isinstance(error, Failed | NotNow):
        return str(error)[:LONGEST_REASON]
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        kind += f" ({error.strerror})"
    ours = [
        f"{Path(frame.filename).relative_to(PACKAGE).as_posix()}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PACKAGE)
    ]
    return f"{kind} at {ours[-1]}" if ours else kind


def pause(attempt: int) -> timedelta:
    """Return how long to wait after a failed attempt: twice as long each time, with a spread.

    The spread keeps jobs that failed together from coming back together.
    """
    longest = min(LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
    return timedelta(seconds=random.uniform(longest / 2, longest))  # noqa: S311
