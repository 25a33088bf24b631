"""What a page asks of the database."""

from contextvars import ContextVar
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.people import Browser

_OURS = ContextVar("ours", default=False)


async def queries_of(browser: Browser, path: str) -> list[str]:
    """Return the statements that a page takes; not what workers and the tail ask meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if _OURS.get() and statement != "BEGIN":
            asked.append(statement)

    ours = _OURS.set(True)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        await browser.text(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        _OURS.reset(ours)
    return asked
