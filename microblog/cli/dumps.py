"""The way to PostgreSQL's own tools, `pg_dump` and `pg_restore`, and what the latter writes.

`cli.backup_postgres` calls this. Neither tool is ever told a password on its command line, where
every user of the machine could read it.
"""

import asyncio
import os
import re
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import URL

from microblog.cli.backup_files import BackupError, Progress

CHUNK_BYTES = 1024 * 1024
LOCK_WAIT = "30s"
# What asyncpg calls the parts of an address, and the variables in which libpq looks for them.
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "database": "PGDATABASE",
    "ssl": "PGSSLMODE",
    "passfile": "PGPASSFILE",
}
_ROWS = re.compile(rb'COPY "?([\w]+)"?\."?([\w]+)"? \((.+)\) FROM stdin;\n')
# Settings of a session, which ours has already and an older server may not know; commands of
# psql; comments.
_SKIPPED = (b"SET ", b"SELECT pg_catalog.set_config(", b"\\", b"--", b"\n")
_END_OF_ROWS = b"\\.\n"


async def dump(url: URL, tables: Sequence[str], target: Path, progress: Progress) -> None:
    """Write a dump of these tables, as they are at one moment; raises BackupError."""
    options = ("--format=custom", "--no-owner", "--no-privileges", "--encoding=UTF8", "--verbose")
    waiting = f"--lock-wait-timeout={LOCK_WAIT}"
    chosen = [f"--table={name}" for name in tables]
    process = await _start(
        _variables(url), "pg_dump", *options, waiting, f"--file={target}", *chosen
    )
    said, done = [], 0
    async for line in _stream(process.stderr):
        if b"dumping contents of table" in line:
            progress(done, len(tables))
            done += 1
        said.append(line.decode(errors="replace").strip())
    if await process.wait():
        raise BackupError(_failure("pg_dump", said))


@dataclass(frozen=True, slots=True)
class Table:
    """The table whose rows come next in a script, and their columns."""

    schema: str
    name: str
    columns: tuple[str, ...]


class Dump:
    """A dump being read: statements, and between them the rows of one table after the other."""

    def __init__(self, stream: StreamReader) -> None:
        self._stream = stream
        self._rest = b""
        self.table: Table | None = None

    async def statements(self) -> AsyncIterator[str]:
        """Return the statements up to each table's rows, and those after the last.

        `table` then says whose rows come next; read them, before going on.
        """
        found: list[bytes] = []
        while line := await self._line():
            header = _ROWS.fullmatch(line)
            if header is None:
                if not line.startswith(_SKIPPED):
                    found.append(line)
                continue
            schema, name, columns = (part.decode() for part in header.groups())
            self.table = Table(schema, name, tuple(re.findall(r"\w+", columns)))
            yield b"".join(found).decode()
            found = []
        self.table = None
        yield b"".join(found).decode()

    async def rows(self) -> AsyncIterator[bytes]:
        """Return the rows of `table` in PostgreSQL's text format, some whole lines at a time."""
        while True:
            if self._rest.startswith(_END_OF_ROWS):
                self._rest = self._rest.removeprefix(_END_OF_ROWS)
                return
            # No row is "\.": a backslash in a text is written as two.
            end = self._rest.find(b"\n" + _END_OF_ROWS) + 1 or self._rest.rfind(b"\n") + 1
            if end:
                rows, self._rest = self._rest[:end], self._rest[end:]
                yield rows
            if not self._rest.startswith(_END_OF_ROWS) and not await self._more():
                return  # cut off: the tool says why

    async def _line(self) -> bytes:
        while (end := self._rest.find(b"\n") + 1) == 0:
            if not await self._more():
                end = len(self._rest)
                break
        line, self._rest = self._rest[:end], self._rest[end:]
        return line

    async def _more(self) -> bool:
        chunk = await self._stream.read(CHUNK_BYTES)
        self._rest += chunk
        return bool(chunk)


@asynccontextmanager
async def opened_dump(file: Path) -> AsyncIterator[Dump]:
    """Read a dump; raises BackupError at the end of the block where it is not whole."""
    words = ("--file=-", "--no-owner", "--no-privileges", str(file))
    process = await _start({}, "pg_restore", *words)
    said = asyncio.ensure_future(_stream(process.stderr).read())
    try:
        yield Dump(_stream(process.stdout))
        if await process.wait():
            lines = (await said).decode(errors="replace").splitlines()
            raise BackupError(f"{file} cannot be read to its end. {_failure('pg_restore', lines)}")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await said


async def _start(variables: Mapping[str, str], program: str, *words: str) -> Process:
    environment = {**os.environ, **variables, "LC_ALL": "C"}
    try:
        return await asyncio.create_subprocess_exec(
            program, *words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment
        )
    except OSError as error:
        raise BackupError(
            f"{program} cannot be run ({error.strerror}). It comes with PostgreSQL's client "
            "programs (Debian and Ubuntu: apt install postgresql-client)."
        ) from None


def _stream(stream: StreamReader | None) -> StreamReader:
    return cast("StreamReader", stream)  # a pipe was asked for


def _variables(url: URL) -> dict[str, str]:
    """Say in variables where a database is, as asyncpg would find it."""
    _, parts = url.get_dialect()().create_connect_args(url)
    found = {VARIABLES[key]: value for key, value in parts.items() if key in VARIABLES}
    return {
        key: ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for key, value in found.items()
    }


def _failure(program: str, lines: Sequence[str]) -> str:
    """Make a sentence of what a tool says when it fails."""
    said = " ".join(lines)
    versions = re.search(r"server version: (\S+?);? .*?version: (\S+)", said)
    if "server version mismatch" in said and versions is not None:
        server, own = versions.groups()
        return (
            f"{program} {own} is too old for the server, PostgreSQL {server}. Install the client "
            f"programs of that version (Debian: postgresql-client-{server.split('.')[0]})."
        )
    if "unsupported version" in said:
        return f"It was made by a newer pg_dump: this {program} is too old for it."
    errors = [line for line in lines if "error:" in line] or list(lines[-1:])
    what = re.sub(rf"^{program}: (error: )?", "", errors[0]) if errors else "it does not say why"
    return f"{program}: {what.rstrip('.')}."
