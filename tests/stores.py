"""What the tests of the stores ask of a database."""

from microblog.database import Database


def in_use(database: Database) -> int:
    """Return how many connections are not back in their pool."""
    return sum(engine.pool.checkedout() for engine in database.engines)  # type: ignore[attr-defined]


def let_grow(database: Database, pages: int | None) -> None:
    """Let the file have no page more than it has now, or so many."""
    engine = database.engines[1]
    with engine.connect() as connection:  # type: ignore[union-attr]
        most = pages or connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")
        connection.rollback()
