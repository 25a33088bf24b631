"""The history that the log tells. Called by the commands after data were put back."""

from sqlalchemy import delete, update

from microblog.database import Tx
from microblog.models import EventRow, History, RefreshToken, Session, TokenFamily


async def begin_anew(tx: Tx, epoch: str) -> None:
    """Let another history begin, with an empty log and nobody signed in.

    Every client that knows the former epoch is told to resync. The sessions and tokens that come
    with a backup may have been revoked since it was made, so none of them is let live again.
    """
    await tx.execute(update(History).values(epoch=epoch))
    await tx.execute_aside(delete(EventRow))
    await sign_everybody_out(tx)


async def sign_everybody_out(tx: Tx) -> None:
    """End all sessions and tokens, of which nobody is told: the log has another history."""
    for model in (Session, RefreshToken, TokenFamily):
        await tx.execute_aside(delete(model))
