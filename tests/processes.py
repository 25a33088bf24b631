"""How the tests start, kill and restart a server process; `services.py` says which servers.

Nothing here outlives the test run, even when that is killed: see `KEEPER`.
"""

import atexit
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

START_SECONDS = 30.0
STOP_SECONDS = 15.0
PACKAGES = {
    "redis-server": "redis-server",
    "initdb": "postgresql",
    "postgres": "postgresql",
    "psql": "postgresql",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb-dump": "mariadb-client",
}
SETTINGS = (
    *("SECRET_KEY", "DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URL"),
    *("REDIS_URL", "ELASTICSEARCH_URL", "ADMINS", "LANGUAGES", "POSTS_PER_PAGE"),
    *("LOG_TO_STDOUT", "MS_TRANSLATOR_KEY"),
)

# Kills the servers and removes the folders of a test run that was itself killed: it reads the
# process groups and folders from the run, and acts when the pipe between them is closed.
KEEPER = """
import os, shutil, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
kept = set()
for line in sys.stdin:
    (kept.add if line[0] == "+" else kept.discard)(line[1:].rstrip("\\n"))
for name in sorted(kept, key=lambda name: name.startswith("/")):
    try:
        shutil.rmtree(name, True) if name[0] == "/" else os.killpg(int(name), signal.SIGKILL)
    except OSError:
        pass
"""


class ServiceError(Exception):
    """A server did not start, or stopped by itself; the message ends with what it printed."""


def find_program(name: str) -> str | None:
    """Find a program in PATH or where Debian keeps servers; the newest version wins."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = sorted(versions, key=lambda path: float(path.parent.parent.name), reverse=True)
    # Debian's /usr/bin/psql is a slow wrapper, so the real one goes first.
    if newest:
        return str(newest[0])
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def missing(*programs: str) -> list[str]:
    """Name the programs that this machine lacks, each with the Debian package that brings it."""
    return [
        f"{name} (apt install {PACKAGES.get(name, name)})"
        for name in programs
        if find_program(name) is None
    ]


def choose_free_port() -> int:
    """Choose a loopback port that nobody listens on.

    It is below the range of outgoing connections: a client that keeps knocking at a dead server
    could otherwise be given that very port as its own, and the server could not come back to it.
    """
    while True:
        port = random.randint(10_240, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def clean_environment() -> dict[str, str]:
    """Copy this process's variables, without those that Microblog would read as settings.

    A server keeps its bytecode, as everywhere else: compiling anew takes two thirds of a start.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MICROBLOG_", "QUART_", "DB_", "MAIL_"))
        and name not in {*SETTINGS, "PYTHONDONTWRITEBYTECODE"}
    }


def account(user: str | None) -> dict[str, Any]:
    """Say to `subprocess` that a program runs as this user; None leaves it ours."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def await_group_end(group: int, seconds: float = 2.0) -> None:
    """Wait until the last process of a killed group has let go of its port."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.005)


class Keeper:
    """The line to the process that cleans up when the tests are killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", KEEPER],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def end(self) -> None:
        """Close the pipe and wait, so that the clean-up is done before this process ends."""
        self.process.communicate()


class Server(ABC):
    """One server process: started, killed and started again on the same port."""

    name: str
    user: str | None = None  # the account it runs as, where ours is root and it refuses that
    stop_signal = signal.SIGTERM
    tries_again = False  # whether an end during the start may pass by itself
    keeper: Keeper | None = None

    def __init__(self, folder: Path | None = None) -> None:
        self.port = choose_free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"microblog-{self.name}-", dir=folder))
        self.log = self.folder / "output.log"
        self.process: subprocess.Popen[bytes] | None = None
        if Server.keeper is None:
            Server.keeper = Keeper()
            atexit.register(Server.keeper.end)
        Server.keeper.tell(f"+{self.folder}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Say the words that start the server in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Try the server once, by a real question over the network."""

    def environment(self) -> Mapping[str, str]:
        return clean_environment()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, seconds: float = START_SECONDS) -> Self:
        """Start the server and return when it answers; does nothing where it runs.

        Raises `ServiceError` with what it printed where it ends instead, or takes too long.
        """
        deadline = time.monotonic() + seconds
        if not self.running:
            self._spawn()
        while not (self.running and self.is_ready()):
            if not self.running and not self.tries_again:
                self._give_up("ended")
            if time.monotonic() > deadline:
                self._give_up(f"not ready in {seconds} s")
            if not self.running:
                self._spawn()
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Ask the server to end and wait; kill it when it takes too long."""
        if self.process is not None and self.running:
            self.process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill the server and all of its process group (SIGKILL); its folder and port stay."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        await_group_end(self.process.pid)
        self._tell_keeper(f"-{self.process.pid}")
        self.process = None

    def restart(self) -> Self:
        """Stop and start on the same port, with what the folder holds."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stop the server and remove its folder: the end."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._tell_keeper(f"-{self.folder}")

    def output(self) -> str:
        """Read what the server has printed since its first start, standard error included."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _spawn(self) -> None:
        self.kill()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self.environment(),
                start_new_session=True,
                **account(self.user),
            )
        self._tell_keeper(f"+{self.process.pid}")

    def _give_up(self, what: str) -> NoReturn:
        self.kill()
        raise ServiceError(f"{self.name} {what}. It printed:\n{self.output()}")

    @staticmethod
    def _tell_keeper(line: str) -> None:
        if Server.keeper is not None:
            Server.keeper.tell(line)
