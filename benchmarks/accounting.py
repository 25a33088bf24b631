"""What the operating system says that a server has used: Linux, `/proc` (see proc(5))."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_GROUP, _USER_TICKS, _SYSTEM_TICKS = 2, 11, 12  # fields of `stat` after the command's name


def cpu_seconds(group: int) -> float:
    """Return the time that all processes of a group have spent on a core."""
    ticks = sum(int(f[_USER_TICKS]) + int(f[_SYSTEM_TICKS]) for _, f in _members(group))
    return ticks / _TICKS_PER_SECOND


def resident_bytes(group: int) -> int:
    """Return the memory that all processes of a group have in use."""
    pages = 0
    for pid, _ in _members(group):
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * _PAGE_BYTES


def proportional_bytes(group: int) -> int:
    """Return the same with each shared page divided among those who share it (smaps, PSS)."""
    kibibytes = 0
    for pid, _ in _members(group):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kibibytes * 1024


def processes(group: int) -> int:
    """Return how many processes a group has."""
    return sum(1 for _ in _members(group))


def busiest(group: int) -> int:
    """Return the process of a group that has worked most: with hypercorn, its worker."""
    members = {pid: int(f[_USER_TICKS]) + int(f[_SYSTEM_TICKS]) for pid, f in _members(group)}
    return max(members, key=members.__getitem__)


def _members(group: int) -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue  # it ended while we looked
            fields = stat.rpartition(")")[2].split()
            if int(fields[_GROUP]) == group:
                yield int(folder.name), fields
