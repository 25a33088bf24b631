"""The pictures that people gave of themselves."""

from sqlalchemy import bindparam, select

from microblog.database import Read
from microblog.models import Avatar, table

_avatar = table(Avatar).c
_CONTENT = select(_avatar.content).where(
    _avatar.user_id == bindparam("user_id"), _avatar.size == bindparam("size")
)


async def content(read: Read, user_id: int, size: int) -> bytes | None:
    """Return a person's picture as WebP, `size` pixels square; None where there is none."""
    found: bytes | None = await read.scalar(_CONTENT.params(user_id=user_id, size=size))
    return found
