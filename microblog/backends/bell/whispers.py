"""What processes whisper to one another: this process's end of it, whatever carries it.

A process hears its own whispers at once, and so that it does not hear them twice each carries who
said it.
"""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

LONGEST = 200
"""Characters of a whisper; a longer one is not said."""

FOLDERS = Path("/proc/self/fd")


def _nobody_listens(_words: str) -> None:
    return None


class Whispers:
    """Tells `heard` what is whispered; whoever listens puts a function of their own there."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self.heard: Callable[[str], None] = _nobody_listens

    def say(self, words: str) -> str | None:
        """Hear one's own words, and return what the others are to be handed."""
        if len(words) > LONGEST or not words.isascii():
            return None
        self.heard(words)
        return f"{self._name} {words}"

    def hear(self, handed: str | bytes) -> None:
        """Take what was handed over; anybody may have written it."""
        text = handed if isinstance(handed, str) else handed.decode("ascii", "replace")
        name, _, words = text.partition(" ")
        if name != self._name and len(words) <= LONGEST:
            self.heard(words)


class Neighbours:
    """The other processes on one file: each has a datagram socket in a folder beside it.

    Where a system has no such sockets, nobody is heard. An address may be 107 bytes long (unix(7));
    Linux has a short way to an open folder, elsewhere nobody is heard in a folder that is deep.
    """

    def __init__(self, file: Path, whispers: Whispers) -> None:
        self._folder = file.with_name(f"{file.name}-whispers")
        self._own = f"{secrets.token_hex(8)}.sock"
        self._whispers = whispers
        self._socket: socket.socket | None = None
        self._opened = contextlib.ExitStack()
        self._way = self._folder

    def open(self) -> None:
        """Begin to listen."""
        if not hasattr(socket, "AF_UNIX"):
            return
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        made.setblocking(False)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._way = self._short_way()
            made.bind(str(self._way / self._own))
        except OSError:
            made.close()
            self._opened.close()
            return
        self._socket = made
        asyncio.get_running_loop().add_reader(made, self._receive, made)

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            (self._folder / self._own).unlink(missing_ok=True)
            self._opened.close()

    def hand(self, text: str) -> None:
        """Hand something to all others that take it at once."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            for name in os.listdir(self._folder):
                if name != self._own:
                    self._send(self._socket, self._way / name, text.encode())

    def _short_way(self) -> Path:
        if not FOLDERS.is_dir():
            return self._folder
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._opened.callback(os.close, folder)
        return FOLDERS / str(folder)

    @staticmethod
    def _send(own: socket.socket, where: Path, packet: bytes) -> None:
        try:
            own.sendto(packet, str(where))
        except ConnectionRefusedError:
            where.unlink(missing_ok=True)  # it was killed
        except OSError:
            return  # it has enough to do, or is just going

    def _receive(self, own: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(20):  # then whoever else is waiting has a turn
                self._whispers.hear(own.recv(4 * LONGEST))
