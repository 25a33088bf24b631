"""A client that never reads, and comes back when it is thrown out; for `crowded`."""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self

from benchmarks import wire

SMALL_BUFFER_BYTES = 4096
LOOK_SECONDS = 0.1
ANSWER_SECONDS = 10.0
_ESTABLISHED = "01"


class Staller:
    """One such client, in a thread of its own, as long as the block lasts."""

    def __init__(self, port: int, path: str, headers: str) -> None:
        self._port = port
        self._request = wire.request(port, path, headers)
        self._ending = threading.Event()
        self._stalling = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thrown_out = 0
        self._most_waiting = 0

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._stalling.wait(ANSWER_SECONDS):
            raise RuntimeError("the stalled client was not let in")
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(ANSWER_SECONDS)

    def told(self) -> str:
        """Say what became of it."""
        kib = self._most_waiting / 1024
        return f"{kib:.0f} KiB waited for it in the kernel, thrown out {self._thrown_out} times"

    def _run(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(OSError), socket.socket() as end:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
                end.settimeout(ANSWER_SECONDS)
                end.connect(("127.0.0.1", self._port))
                end.sendall(self._request)
                if end.recv(12) != b"HTTP/1.1 101":
                    continue
                self._stalling.set()
                self._stall(end)

    def _stall(self, end: socket.socket) -> None:
        own = end.getsockname()[1]
        while not self._ending.wait(LOOK_SECONDS):
            state, waiting = _far_end(self._port, own)
            # Who does not read is not told of the end either: it waits behind what is unread.
            if state != _ESTABLISHED:
                self._thrown_out += 1
                return
            self._most_waiting = max(self._most_waiting, waiting)


def _far_end(port: int, own: int) -> tuple[str, int]:
    """Return the state of the server's end, and the bytes that wait in it (proc(5), tcp)."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        local, remote = (int(word.rpartition(":")[2], 16) for word in words[1:3])
        if (local, remote) == (port, own):
            return words[3], int(words[4].partition(":")[0], 16)
    return "", 0
