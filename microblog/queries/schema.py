"""Whether the database's tables are those that this program was written for."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from microblog.core.errors import Message, message
from microblog.database import Read
from microblog.drivers import mariadb_number
from microblog.models import REVISION

UNFINISHED = "unfinished-copy"
"""What stands in the place of a revision while `microblog db copy` fills a database."""

NO_SUCH_TABLE = 1146  # MariaDB's number; its driver says in the same way that it cannot connect


async def problem(read: Read) -> Message | None:
    """Return what is wrong with the tables, and what to run, or None if they are right."""
    try:
        found = await read.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError as error:
        if error.connection_invalidated or mariadb_number(error) not in {None, NO_SUCH_TABLE}:
            raise
        return message(
            "The database has no tables yet. Run: microblog db upgrade (or: alembic upgrade head)"
        )
    if found == REVISION:
        return None
    if found == UNFINISHED:
        return message(
            "A copy into this database is not finished. "
            "Wait for it, or begin it anew: microblog db copy"
        )
    if found is not None and str(found) > REVISION:
        return message(
            "The database (revision %(found)s) is newer than this program (%(needed)s). Update it.",
            found=found,
            needed=REVISION,
        )
    return message(
        "The database is at revision %(found)s, the program needs %(needed)s. "
        "Run: microblog db upgrade (or: alembic upgrade head)",
        found=found,
        needed=REVISION,
    )
