"""Keeping what somebody writes until it is sent.

Two devices may write at once. So whoever saves says which version they have seen, and nobody
replaces what they have not: the other text comes back to be chosen from.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update

from microblog.core import drafts as rules
from microblog.core import events
from microblog.core.drafts import NEW_POST, Written
from microblog.core.errors import Conflict, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import SavedDraft, table
from microblog.queries import drafts
from microblog.queries.drafts import DraftRow

_draft = table(SavedDraft)


async def keep(
    tx: Tx, user_id: int, context: str, written: Written, seen: int, now: datetime
) -> DraftRow | None:
    """Keep what stands in a form, in place of the version `seen`; return it as it is now.

    Who has seen none says 0. Without text it is taken away; None where there was none. Raises
    Invalid for a context or a text that cannot be kept, Conflict where another version is there
    than was seen.
    """
    rules.check(context)
    written = rules.storable(written)
    if written.is_blank:
        written = Written("")
    await hold(tx, user_id)
    known = await drafts.of(tx, user_id, context)
    if known is None:
        return None if written.is_blank else await _begin(tx, user_id, context, written, now)
    if (known.body, known.title, known.language) == _parts(written):
        return known  # a repetition, or both say the same
    if known.version != seen and not (known.is_blank and seen == 0):
        raise _changed_elsewhere()
    values = _columns(written, now)
    if not await _replace(tx, user_id, known, values):
        raise _changed_elsewhere()
    return known._replace(**values, version=known.version + 1)


async def hold(tx: Tx, user_id: int) -> None:
    """Let nobody else change a person's drafts until the end of the transaction."""
    await tx.lock_name(digest(f"draft {user_id}"))


async def take_away(tx: Tx, user_id: int, context: str, now: datetime) -> None:
    """Take a draft away, whatever its version is."""
    await hold(tx, user_id)
    known = await drafts.of(tx, user_id, context)
    if known is not None and not known.is_blank:
        await _replace(tx, user_id, known, _columns(Written(""), now))


async def forget(
    tx: Tx, user_id: int, context: str, sent: Written, seen: int, now: datetime
) -> None:
    """Take a draft away, in the transaction that sends it.

    What has been written elsewhere since the version `seen` stays, unless it is what is sent.
    """
    known = await drafts.of(tx, user_id, context)
    if known is None or known.is_blank:
        return
    same = Written(known.body.strip(), known.title.strip())
    if known.version != seen and same != Written(sent.body.strip(), sent.title.strip()):
        return
    await _replace(tx, user_id, known, _columns(Written(""), now))


async def _replace(tx: Tx, user_id: int, known: DraftRow, values: dict[str, Any]) -> bool:
    """Write a draft anew and say so, unless it has been written since it was read."""
    statement = update(_draft).where(_draft.c.id == known.id, _draft.c.version == known.version)
    if not await tx.change(statement.values(**values, version=known.version + 1)):
        return False
    tx.announce(events.draft_changed(user_id, known.id))
    return True


async def _begin(tx: Tx, user_id: int, context: str, written: Written, now: datetime) -> DraftRow:
    surplus = await drafts.beyond(tx, user_id, rules.MOST_DRAFTS - 1)
    if surplus:
        spared = or_(_draft.c.context != NEW_POST, _draft.c.body == "")
        await tx.execute(delete(_draft).where(_draft.c.id.in_(surplus), spared))
    values = _columns(written, now)
    row = SavedDraft(user_id=user_id, context=context, version=1, **values)
    tx.add(row)
    await tx.flush()
    tx.announce(events.draft_changed(user_id, row.id))
    return DraftRow(row.id, context, version=1, **values)


def _parts(written: Written) -> tuple[str, str, str | None]:
    return written.body, written.title, written.language


def _columns(written: Written, now: datetime) -> dict[str, Any]:
    body, title, language = _parts(written)
    return {"body": body, "title": title, "language": language, "updated_at": now}


def _changed_elsewhere() -> Conflict:
    return Conflict(message("This was changed elsewhere meanwhile. Choose which text stays."))
