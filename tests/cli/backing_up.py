"""Backups for tests: posts written without a pause, and commands that die on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from sqlalchemy import func, select

from microblog.core.errors import Unavailable
from microblog.database import Database, open_database
from microblog.models import History, Post, User
from microblog.settings import Settings
from tests.cli.conftest import process, variables
from tests.people import MakePost

# Runs `microblog` and kills it, as the power does, at the first progress under one label.
DYING = """
import os, signal, sys
from contextlib import contextmanager
from microblog.cli import backup_sqlite, backups, main
backup_sqlite.COPIED_PAGES = 8

@contextmanager
def shown(label):
    yield lambda done, total: label == sys.argv[1] and os.kill(os.getpid(), signal.SIGKILL)

backups.shown = shown
main(sys.argv[2:])
"""


def dying(label: str, *words: str, folder: Path, settings: Settings) -> CompletedProcess[str]:
    """Run a command that is killed at the first progress that it shows under `label`."""
    script = folder / "dying.py"
    script.write_text(DYING)
    sys_path = str(Path(__file__).parents[2])
    env = {**variables(settings), "PYTHONPATH": sys_path}
    return process("dying", label, *words, folder=folder, **env)


async def command(*words: str, folder: Path, settings: Settings) -> str:
    """Run `microblog` as a process beside the test's own work; return what it printed."""
    done = await asyncio.to_thread(
        process, "microblog", *words, folder=folder, **variables(settings)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Writing:
    """Somebody who posts without a pause, and which posts were acknowledged, in their order."""

    database: Database
    author: User
    acknowledged: list[int] = field(default_factory=list)
    is_over: bool = False

    async def write(self) -> None:
        write = MakePost(self.database)
        while not self.is_over:
            try:
                post = await write(self.author, f"{len(self.acknowledged)}")
            except Unavailable:
                await asyncio.sleep(0.01)  # as a client does at a 503
                continue
            self.acknowledged.append(post.id)
            await asyncio.sleep(0)


@asynccontextmanager
async def writing(database: Database, author: User) -> AsyncIterator[Writing]:
    """Let somebody post until the block ends."""
    who = Writing(database, author)
    task = asyncio.ensure_future(who.write())
    try:
        while not who.acknowledged:
            await asyncio.wait([task], timeout=0.01)
        yield who
    finally:
        who.is_over = True
        await task


@dataclass(frozen=True)
class Seen:
    """What somebody sees of a database at one moment."""

    epoch: str
    pruned_to: int
    posts: int


async def seen(database: Database) -> Seen:
    """Look at a database with one statement, so that it is one moment on PostgreSQL too."""
    posts = select(func.count(Post.id)).scalar_subquery()
    async with database.read() as read:
        row = (await read.execute(select(History.epoch, History.pruned_to, posts))).one()
    return Seen(*row)


async def ids_in(settings: Settings) -> set[int]:
    """Return the ids of all posts of a database."""
    database = open_database(settings)
    try:
        async with database.read() as read:
            return set(await read.scalars(select(Post.id)))
    finally:
        await database.close()
