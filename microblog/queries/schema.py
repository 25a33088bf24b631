"""Whether the database's tables are those that this program was written for."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from microblog.database import Read
from microblog.models import REVISION

HOW_TO = "Run: microblog db upgrade (or: alembic upgrade head)"


async def problem(read: Read) -> str | None:
    """Return what is wrong with the tables, and what to run, or None if they are right."""
    try:
        found = await read.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return f"The database has no tables yet. {HOW_TO}"
    if found == REVISION:
        return None
    if found is not None and str(found) > REVISION:
        return (
            f"The database (revision {found}) is newer than this program ({REVISION}). Update it."
        )
    return f"The database is at revision {found}, the program needs {REVISION}. {HOW_TO}"
