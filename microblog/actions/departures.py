"""People who go and come back: deactivation, deletion, suspension.

Whoever goes is not there for anybody from the commit on: `deactivated_at` hides them and what they
wrote (`queries.visibility`). Their sessions and tokens end in the same transaction. What is left to
do, jobs do (`jobs.departures`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from microblog.actions import links, search_index, sessions
from microblog.core import events
from microblog.core.errors import Conflict, message
from microblog.core.leaving import MAY_RETURN, DeedKind, Left, clean_reason
from microblog.core.tasks import PurgePerson, TellOfPresence
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import Deed, User
from microblog.queries import departures, mail, users

LET_GO_AT_ONCE = 50
LAST_ADMIN = message("There is no other administrator. Make somebody one first.")
# All that a row says of a person, but for the name, which nobody else may ever have.
FORGOTTEN: dict[str, Any] = {
    "email": "",
    "email_key": "",
    "email_confirmed_at": None,
    "password_hash": "",
    "display_name": "",
    "about_me": "",
    "avatar": None,
    "language": None,
    "theme": None,
    "role": "member",
}


async def deactivate(tx: Tx, user: User, now: datetime) -> None:
    """Let a person be gone until they log in again; raises Conflict for the last administrator."""
    await _someone_else_decides(tx, user)
    await _leave(tx, user.id, now, left_because=Left.SELF)


async def delete(tx: Tx, user: User, now: datetime) -> None:
    """Let a person be gone for good; raises Conflict for the last administrator.

    Their row stays for its name; the rest goes with the job that this leaves.
    """
    await _someone_else_decides(tx, user)
    await _delete(tx, user.id, now)


async def let_go(tx: Tx, now: datetime) -> None:
    """Delete those who deactivated their account and did not come back in time."""
    for user_id in await departures.overdue(tx, now - MAY_RETURN, LET_GO_AT_ONCE):
        await _delete(tx, user_id, now)


async def come_back(tx: Tx, user: User, now: datetime) -> None:
    """Let somebody be there again who left by themselves; they have proved who they are."""
    await _return(tx, user, Left.SELF, now)


async def suspend(tx: Tx, actor: User | None, user: User, reason: str, now: datetime) -> None:
    """Keep a person out, by an administrator or by a command (None); the reason is kept.

    Raises Invalid for no reason, Conflict for oneself, for the last administrator, and where the
    person is suspended already or deleted.
    """
    reason = clean_reason(reason)
    if actor is not None and actor.id == user.id:
        raise Conflict(message("You cannot suspend yourself."))
    if user.left_because in {Left.SUSPENDED, Left.DELETED}:
        raise Conflict(message("This person is suspended or deleted already."))
    await _someone_else_decides(tx, user)
    await _leave(tx, user.id, now, left_because=Left.SUSPENDED)
    await _note(tx, DeedKind.SUSPEND, actor, user, reason, now)


async def restore(tx: Tx, actor: User | None, user: User, reason: str, now: datetime) -> None:
    """Undo `suspend`; raises Invalid for no reason, Conflict where the person isn't suspended."""
    reason = clean_reason(reason)
    if not await _return(tx, user, Left.SUSPENDED, now):
        raise Conflict(message("This person is not suspended."))
    await _note(tx, DeedKind.RESTORE, actor, user, reason, now)


async def _someone_else_decides(tx: Tx, user: User) -> None:
    """Refuse to leave the place without an administrator; raises Conflict."""
    if user.is_admin and user.deactivated_at is None:
        await tx.lock_name(digest("administrators"))  # two at once would each find the other
        if not await users.has_other_admin(tx, user.id):
            raise Conflict(LAST_ADMIN)


async def _delete(tx: Tx, user_id: int, now: datetime) -> None:
    tx.enqueue(PurgePerson(user_id), key=f"purge:{user_id}")
    await _leave(tx, user_id, now, left_because=Left.DELETED, **FORGOTTEN)


async def _leave(tx: Tx, user_id: int, now: datetime, **values: Any) -> None:
    left = update(User).where(User.id == user_id).values(deactivated_at=now, **values)
    await tx.execute(left)
    await links.forget(tx, user_id)
    await sessions.revoke_all(tx, user_id, now)
    _tell(tx, user_id, now)


async def _return(tx: Tx, user: User, because: Left, now: datetime) -> bool:
    """Let a person be there again who left for this reason; False where they did not.

    An address that somebody else proved meanwhile is proved no longer.
    """
    values: dict[str, Any] = {"deactivated_at": None, "left_because": None}
    await tx.lock_name(digest(f"address:{user.email_key}"))
    if await mail.owner(tx, user.email) is not None:
        values["email_confirmed_at"] = None
    left = User.id == user.id, User.left_because == because
    if not await tx.change(update(User).where(*left).values(values)):
        return False
    _tell(tx, user.id, now)
    return True


def _tell(tx: Tx, user_id: int, now: datetime) -> None:
    search_index.feed_soon(tx, now)
    tx.enqueue(TellOfPresence(user_id), key=f"presence:{user_id}")
    tx.announce(events.user_changed(user_id))
    tx.announce(events.presence_changed(user_id))


async def _note(
    tx: Tx, kind: DeedKind, actor: User | None, user: User, reason: str, now: datetime
) -> None:
    row = {
        "kind": kind,
        "actor_id": actor.id if actor is not None else None,
        "subject_id": user.id,
        "reason": reason,
        "created_at": now,
    }
    await tx.insert(Deed, row)
