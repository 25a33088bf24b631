"""Telling the administrators of a fault by mail: one of a kind in an hour, whoever meets it."""

from datetime import datetime, timedelta
from importlib import metadata

from microblog.actions import mail, tries
from microblog.core.errors import TooManyTries
from microblog.core.faults import Fault
from microblog.database import Tx
from microblog.settings import Settings

APART = timedelta(hours=1)


async def report(
    tx: Tx, settings: Settings, fault: Fault, where: str, number: str, now: datetime
) -> None:
    """Write to each of `ADMINS`, unless that was done within the hour by any process."""
    try:
        await tries.count(tx, f"fault {fault.name}", 1, APART, now)
    except TooManyTries:
        return
    values = {
        "kind": fault.name,
        "where": where,
        "number": number,
        "trace": list(fault.trace),
        "version": metadata.version("microblog"),
    }
    for address in settings.admins:
        mail.send(tx, settings, address, "fault", now, values=values)
