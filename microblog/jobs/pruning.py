"""Forgetting what is past its time: each hour, by one process of many."""

from datetime import UTC, datetime

from microblog.actions import retention
from microblog.core.tasks import Prune
from microblog.jobs.work import Job


async def prune(job: Job, _task: Prune) -> None:
    """Delete old events, tombstones, sessions, keys, tries and finished jobs."""
    settings = job.runtime.settings
    async with job.write() as tx:
        await retention.prune(
            tx,
            datetime.now(UTC),
            keep_days=settings.log_retention_days,
            keep_events=settings.log_retention_events,
        )
