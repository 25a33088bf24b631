"""What all backups have in common: whole files or none, what they hold, and progress that shows.

`cli.backups` and the two ways of making a backup, `cli.backup_sqlite` and `cli.backup_postgres`,
use this.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Protocol, TypeAlias

import click

from microblog.settings import Settings

# Takes how much is done and how much it is in all, in any unit.
Progress: TypeAlias = Callable[[int, int], None]


class BackupError(click.ClickException):
    """A backup that cannot be made or restored, and why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: the revision of its tables, people, posts that are not deleted."""

    revision: str
    people: int
    posts: int

    def __str__(self) -> str:
        people = "1 person" if self.people == 1 else f"{self.people:,} people"
        posts = "1 post" if self.posts == 1 else f"{self.posts:,} posts"
        return f"{people} and {posts}, revision {self.revision}"


class Way(Protocol):
    """How backups of one kind of database are made and brought back."""

    SUFFIX: str
    MAGIC: bytes

    def copy(self, settings: Settings, target: Path, progress: Progress) -> None:
        """Fill the empty file `target` with the data as they are at one moment."""

    def contents(self, file: Path, progress: Progress) -> Contents:
        """Read a whole backup and say what it holds; raises BackupError for any other file."""

    def bring_in(
        self, settings: Settings, file: Path, kept: Path | None, progress: Progress
    ) -> bool:
        """Put a checked backup in the place of the present data, in one transaction.

        What is replaced is kept in the new file `kept`; tell whether there was anything. Where
        BackupError is raised, nothing was replaced.
        """


def free_path(folder: Path, now: datetime, suffix: str, stem: str = "microblog") -> Path:
    """Return a path that is not taken, named by `now`, a time in UTC."""
    name = f"{stem}-{now:%Y%m%d-%H%M%S}"
    path = folder / f"{name}{suffix}"
    for number in count(2):
        if not path.exists():
            break
        path = folder / f"{name}-{number}{suffix}"
    return path


@contextmanager
def whole_or_absent(path: Path) -> Iterator[Path]:
    """Give a file to fill, mode 600, that gets its name when the block ends well.

    Raises BackupError where there is a file of that name, or it cannot be made.
    """
    _require_absent(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(f"{path.suffix}.part", f".{path.stem}.", path.parent)
        os.close(descriptor)
    except OSError as error:
        raise BackupError(f"{path} cannot be made: {error.strerror}.") from None
    part = Path(made)
    try:
        yield part
        _sync(part)
        _give_name(part, path)
        _sync(path.parent)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)


def _require_absent(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise BackupError(f"{path} is there already and is not overwritten.")


def _give_name(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename it never replaces
    except FileExistsError:
        _require_absent(path)
    except OSError:  # a stick or a network folder may know no links
        _require_absent(path)
        part.rename(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def shown(label: str) -> Iterator[Progress]:
    """Show progress: a bar on a terminal, else a line at each quarter."""
    if sys.stdout.isatty():
        with click.progressbar(length=100, label=label) as bar:
            yield lambda done, total: bar.update(_percent(done, total) - bar.pos)
            bar.update(100 - bar.pos)
        return
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if (quarter := _percent(done, total) // 25) > told:
            told = quarter
            click.echo(f"{label}: {quarter * 25} %")

    yield tell
    tell(1, 1)


def _percent(done: int, total: int) -> int:
    return min(100, done * 100 // max(1, total))


def size(size_bytes: int) -> str:
    """Write a number of bytes as people read it: "512 bytes", "3.4 MB"."""
    value, units = float(size_bytes), iter(("kB", "MB", "GB", "TB"))
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    while True:
        value, unit = value / 1000, next(units)
        if value < 999.95 or unit == "TB":
            return f"{value:.1f} {unit}"
