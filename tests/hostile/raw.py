"""Bytes sent to a server as they are, and what comes back; with what a process costs meanwhile."""

import os
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass
class Told:
    """What a server answered on one connection, and when it closed it."""

    received: bytes = b""
    closed_after_seconds: float | None = None
    stopped_at: float = field(default_factory=time.monotonic)

    @property
    def statuses(self) -> list[int]:
        """The final answers, oldest first."""
        found = [int(status) for status in _STATUS.findall(self.received)]
        return [status for status in found if status >= 200]

    @property
    def interim(self) -> list[int]:
        """The answers that announce another."""
        return [int(status) for status in _STATUS.findall(self.received) if int(status) < 200]


def talk(
    port: int,
    *said: bytes,
    seconds: float = 12.0,
    pause_seconds: float = 0.0,
    quiet_seconds: float | None = None,
) -> Told:
    """Say some bytes, part by part, and listen until the server closes, or `seconds` are over.

    With `quiet_seconds` it also ends where there was an answer and then nothing for so long.
    """
    told, began = Told(), time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        parts, due = list(said), began
        while (now := time.monotonic()) - began < seconds:
            if parts and now >= due:
                with suppress(ConnectionError):
                    connection.sendall(parts.pop(0))
                due = now + pause_seconds
            wait = began + seconds - now
            if parts:
                wait = min(wait, max(due - now, 0.0))
            elif quiet_seconds is not None and told.statuses:
                wait = min(wait, quiet_seconds)
            connection.settimeout(max(wait, 0.001))
            try:
                received = connection.recv(65_536)
            except TimeoutError:
                if not parts and quiet_seconds is not None and told.statuses:
                    break
                continue
            except ConnectionError:
                received = b""
            if not received:
                told.closed_after_seconds = time.monotonic() - began
                break
            told.received += received
    return told


def resident_bytes(pid: int) -> int:
    """Return the memory that a process has now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
