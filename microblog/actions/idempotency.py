"""Requests that create something, carried out once however often they are sent.

The keys follow the IETF draft "The Idempotency-Key HTTP Header Field".
"""

from datetime import datetime

from microblog.core.errors import Conflict, Invalid, message
from microblog.core.tokens import digest
from microblog.database import Tx
from microblog.models import IdempotencyKey
from microblog.queries import access

LONGEST_KEY = 200


async def earlier(tx: Tx, user_id: int, key: str, request: str) -> int | None:
    """Return what the same request made before, or None if the key is new.

    From here on other transactions with the key wait. Raises Conflict where the key was used for
    another request, Invalid where it is not a possible key.
    """
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid({"idempotency_key": [message("An idempotency key has 1 to 200 characters.")]})
    await tx.lock_name(digest(f"{user_id}:{key}"))
    known = await access.spent_key(tx, user_id, key)
    if known is None:
        return None
    if known.request_digest != digest(request):
        raise Conflict(message("This idempotency key was used for another request."))
    return known.ref_id


async def remember(
    tx: Tx, user_id: int, key: str, request: str, ref_id: int, now: datetime
) -> None:
    """Keep what a request made, for its repetition."""
    row = {"user_id": user_id, "key": key, "request_digest": digest(request), "created_at": now}
    await tx.insert(IdempotencyKey, {**row, "ref_id": ref_id})
