"""Forgetting what is past its time: each hour, by one process of many."""

from datetime import UTC, datetime

from microblog.actions import departures, retention
from microblog.core.tasks import Prune
from microblog.jobs.work import Job


async def prune(job: Job, _task: Prune) -> None:
    """Delete old events, tombstones, sessions, keys, tries and finished jobs, and the accounts of
    those who left and did not come back in time.
    """
    settings = job.runtime.settings
    async with job.write() as tx:
        await departures.let_go(tx, datetime.now(UTC))
        await retention.prune(
            tx,
            datetime.now(UTC),
            keep_days=settings.log_retention_days,
            keep_events=settings.log_retention_events,
        )
