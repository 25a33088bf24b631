"""`microblog shell`: a Python prompt inside the microblog, with everything at hand.

To read is free. To write takes an `async with write() as tx`, as everywhere in the program, so
that no slip of the fingers changes anything.
"""

import asyncio
import sys
from asyncio import Runner
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import islice
from pkgutil import iter_modules
from typing import Any, TypeVar

import click
import sqlalchemy
from sqlalchemy import Executable, Result
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import TypedReturnsRows

from microblog import actions, models, queries
from microblog.cli import tables
from microblog.cli.console import Console, heard, keep, open_history
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainCommand, given_settings
from microblog.core.cursors import Page
from microblog.core.errors import Forbidden, Message
from microblog.database import Database, Read, Tx
from microblog.models import Model
from microblog.settings import Settings

M = TypeVar("M", bound=Model)

SHOWN = 50
SQL = ("select", "insert", "update", "delete", "func", "text", "and_", "or_", "not_", "desc")
ONLY_READS = Message("This only reads. Writing is: async with write() as tx: await tx.execute(…)")
BANNER = """\
Microblog's shell on {where}. `await` works anywhere; Ctrl+D leaves.

  await show(select(User).order_by(User.id.desc()))            a table of people, newest first
  mina = await queries.users.by_username(session, "mina")      all reads: queries.<noun>.<verb>
  await session.scalar(select(func.count()).select_from(Post))

  async with write() as tx:                                    all writes, committed at the end
      await actions.posts.publish(tx, mina, actions.posts.Draft("Hello"), now())

Also there: every model ({models}, …), read(), write(), now(), datetime, timedelta, and of
SQLAlchemy {sql}. `help(actions.posts)` tells what a module can do."""


class Session(Read):
    """Reads for a prompt: each on a connection of its own, so that nothing is held meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def vendor(self) -> str:
        return self._database.vendor

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> Result[*tuple[Any, ...]]:
        """Read all rows now; raises Forbidden for what would write."""
        if isinstance(statement, UpdateBase):
            raise Forbidden(ONLY_READS)
        async with self._database.read() as read:
            found = await read.execute(statement, parameters)
            if not getattr(found, "returns_rows", True):
                raise Forbidden(ONLY_READS)
            return found.freeze()()

    async def execute_aside(self, statement: Executable) -> Result[*tuple[Any, ...]]:
        return await self.execute(statement)

    async def get(self, model: type[M], key: Any) -> M | None:
        async with self._database.read() as read:
            return await read.get(model, key)


@click.command(cls=PlainCommand)
@click.option("-c", "--command", "source", help="Run this text instead of asking for one.")
def shell(source: str | None) -> None:
    """Talk to the microblog in Python, with `await`; also what is piped into it.

    Models, queries, actions, a session and show(query) are there. Nothing is written but in
    an `async with write() as tx`. What is piped, or given by -c, ends at the first error with
    status 1; at the prompt the next line comes.
    """
    settings = given_settings()
    with Runner() as runner, heard(runner):
        stack = AsyncExitStack()
        try:
            database = runner.run(stack.enter_async_context(opened(settings)))
            console = Console(at_hand(database), runner)
            if source is None and sys.stdin.isatty():
                _ask(console, settings)
            else:
                sys.exit(console.run_all(_piped() if source is None else source))
        finally:
            runner.run(stack.aclose())


def _piped() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise click.ClickException("What is piped in is not in UTF-8.") from None


def _ask(console: Console, settings: Settings) -> None:
    path = settings.data_dir / "shell_history"
    history = open_history(path, console.locals)
    banner = BANNER.format(
        where=settings.database.render_as_string(hide_password=True),
        models="User, Post, Follow, Job",
        sql=", ".join(SQL),
    )
    try:
        console.interact(banner, exitmsg="")
    finally:
        keep(history, path)


def at_hand(database: Database) -> dict[str, Any]:
    """Return what is there from the first line on, by name."""
    for package in (actions, queries):
        for module in iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")
    session = Session(database)

    async def show(what: Any, limit: int = SHOWN) -> None:
        """Print a query, a row or several as a table, at most `limit` rows."""
        await _show(session, what, limit)

    known: dict[str, Any] = {name: getattr(sqlalchemy, name) for name in SQL}
    known |= {name: getattr(models, name) for name in models.__all__}
    known |= {"models": models, "queries": queries, "actions": actions, "asyncio": asyncio}
    known |= {"session": session, "show": show, "read": database.read, "write": _writing(database)}
    return known | {"now": now, "datetime": datetime, "timedelta": timedelta, "UTC": UTC}


def now() -> datetime:
    """Return the present moment, which actions want to be told."""
    return datetime.now(UTC)


def _writing(database: Database) -> Any:
    rung: list[Any] = []
    ring = database.ring

    def remember() -> Any:
        rung.append(asyncio.ensure_future(ring()) if ring is not None else None)
        return rung[-1]

    database.ring = remember

    @asynccontextmanager
    async def write() -> AsyncIterator[Tx]:
        """Open a transaction, commit it at the end of the block, and let the servers know."""
        async with database.write() as tx:
            yield tx
        # The loop stands still while somebody types, and a ring with it.
        await asyncio.gather(*filter(None, rung), return_exceptions=True)
        rung.clear()

    return write


async def _show(session: Session, what: Any, limit: int) -> None:
    things = await _things(session, what, limit + 1)
    for line in tables.drawn(things[:limit], tables.terminal_width()):
        print(line)
    if not things:
        print("There are none.")
    if len(things) > limit:
        print(f"There are more: await show(…, limit={limit * 4})")


async def _things(session: Session, what: Any, most: int) -> list[Any]:
    match what:
        case sqlalchemy.Select() if what._limit_clause is None:
            return list(await session.execute(what.limit(most)))
        case TypedReturnsRows() | Executable():
            return list(await session.execute(what))[:most]
        case Page():
            return list(what.items)
        case Iterable() if not isinstance(what, str | dict) and not hasattr(what, "_fields"):
            return list(islice(what, most))
    return [what]
