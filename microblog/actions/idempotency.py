"""Requests that create something, carried out once however often they are sent.

The keys follow the IETF draft "The Idempotency-Key HTTP Header Field".
"""

from datetime import datetime, timedelta

from microblog.core.errors import Conflict, Invalid, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import IdempotencyKey
from microblog.queries import access
from microblog.queries.access import SpentKey

LONGEST_KEY = 200
STRANGERS = timedelta(hours=1)


def reused() -> Conflict:
    """Return what to say of a key that was used for another request."""
    return Conflict(message("This idempotency key was used for another request."))


def check(key: str) -> None:
    """Raise Invalid for what is not a possible key."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid({"idempotency_key": [message("An idempotency key has 1 to 200 characters.")]})


async def earlier(tx: Tx, user_id: int, key: str, request: str) -> int | None:
    """Return what the same request made before, or None if the key is new.

    From here on other transactions with the key wait. Raises Conflict where the key was used for
    another request, Invalid where it is not a possible key.
    """
    check(key)
    await tx.lock_name(digest(f"{user_id}:{key}"))
    return _same(await access.spent_key(tx, user_id, key), request)


async def of_stranger(tx: Tx, network: str, key: str, request: str, now: datetime) -> int | None:
    """Do the same where nobody is signed in yet, for a key of that network, within `STRANGERS`.

    Keep what was made by `remember`, for the person whom it made, under `stranger_key`.
    """
    check(key)
    kept = stranger_key(network, key)
    await tx.lock_name(digest(kept))
    return _same(await access.spent_since(tx, kept, now - STRANGERS), request)


def stranger_key(network: str, key: str) -> str:
    """Return under what a stranger's key is kept: one network's keys are none of another's.

    It is not of ASCII, so nobody who is signed in can have the same.
    """
    return f"stranger·{digest(f'{network}:{key}').hex()}"


def _same(known: SpentKey | None, request: str) -> int | None:
    if known is None:
        return None
    if known.request_digest != digest(request):
        raise reused()
    return known.ref_id


async def remember(
    tx: Tx, user_id: int, key: str, request: str, ref_id: int, now: datetime
) -> None:
    """Keep what a request made, for its repetition."""
    row = {"user_id": user_id, "key": key, "request_digest": digest(request), "created_at": now}
    await tx.insert(IdempotencyKey, {**row, "ref_id": ref_id})
