"""What is left to do when somebody went or came back. Who can see them is settled already."""

import asyncio
from datetime import UTC, datetime

from microblog import export_files
from microblog.actions import notifications, purging
from microblog.core.tasks import PurgePerson, TellOfPresence
from microblog.jobs.work import Job
from microblog.queries import departures

ATTEMPTS = 100
"""Over four days: what somebody wanted gone must not stay because of a fault."""

PEOPLE_AT_ONCE = 100


async def tell(job: Job, task: TellOfPresence) -> None:
    """Let those whom a person notified count anew what is unread."""
    after, database = 0, job.runtime.database
    while True:
        async with database.write() as tx:
            told = await departures.told_by(tx, task.user_id, after, PEOPLE_AT_ONCE)
            notifications.count_anew(tx, told)
        if len(told) < PEOPLE_AT_ONCE:
            return
        after = told[-1]


async def purge(job: Job, task: PurgePerson) -> None:
    """Delete what a person left, a few things a transaction; begun anew it goes on."""
    database, user_id = job.runtime.database, task.user_id
    async with database.read() as read:
        if not await departures.is_deleted(read, user_id):
            return
    for step in purging.STEPS:
        after: int | None = 0
        while after is not None:
            async with database.write() as tx:
                after = await step(tx, user_id, after, datetime.now(UTC))
    await asyncio.to_thread(export_files.remove_all, job.runtime.settings.data_dir, user_id)
    async with job.write() as tx:
        await purging.finish(tx, user_id)
