"""The files of exports, in the data folder: where each is, how one is written, and when they go.

`jobs.exports` writes and removes them, `web.exports` hands them out. Several machines that share a
database need this folder in common, or one of them that does all jobs and downloads.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

FOLDER = "exports"
LEVEL = 6  # of compression


def path(data_dir: Path, user_id: int, job_id: int) -> Path:
    """Return where the export of a person is that a job makes."""
    return data_dir / FOLDER / f"{user_id}-{job_id}.zip"


@asynccontextmanager
async def written(target: Path) -> AsyncIterator[ZipFile]:
    """Write an archive piece by piece: it appears whole at the end of the block, or not at all.

    Only the server may read it.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
                yield archive
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def entry(archive: ZipFile, name: str) -> Iterator[IO[bytes]]:
    """Write one file of an archive, of any length."""
    with archive.open(name, "w", force_zip64=True) as file:
        yield file


def remove_others(kept: Path, user_id: int) -> None:
    """Remove a person's earlier exports."""
    for other in kept.parent.glob(f"{user_id}-*.zip"):
        if other != kept:
            other.unlink(missing_ok=True)


def remove_all(data_dir: Path, user_id: int) -> None:
    """Remove all exports of a person."""
    for one in (data_dir / FOLDER).glob(f"{user_id}-*.zip"):
        one.unlink(missing_ok=True)


def remove_older(data_dir: Path, seconds: float) -> int:
    """Remove what nobody wrote to for so long, also what a crash left; return how many files."""
    oldest, removed = time.time() - seconds, 0
    for one in (data_dir / FOLDER).glob("*"):
        if one.stat().st_mtime < oldest:
            one.unlink(missing_ok=True)
            removed += 1
    return removed
