"""Where a server's time goes, by py-spy's samples of its worker while the posts go out.

`uv run --with uvloop --with py-spy python benchmarks/fanout.py --profile`: no dependency of ours.
"""

import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import accounting

SHOWN = 24
_WAITS = {"EpollSelector.select (selectors.py)"}
_LOOP = "Handle._run (asyncio/events.py)"
SAMPLES_A_SECOND = 250


@contextmanager
def sampled(group: int, wanted: bool) -> Iterator[None]:
    """Sample the busiest process of a group while the block runs, and print what was seen."""
    if not wanted:
        yield
        return
    program = shutil.which("py-spy")
    if program is None:
        raise SystemExit("--profile needs py-spy: uv run --with py-spy python …")
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        how = ("--format", "raw", "--rate", str(SAMPLES_A_SECOND), "--duration", "unlimited")
        pid = str(accounting.busiest(group))
        recorder = subprocess.Popen(
            [program, "record", *how, "--nonblocking", "--pid", pid, "--output", str(stacks)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(30)
        print(summary(stacks.read_text().splitlines()))


def summary(stacks: list[str]) -> str:
    """Return two tables: the functions on top of the stack, and those anywhere on it."""
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        frames = [_without_line(frame) for frame in stack.split(";")]
        if not frames[-1] or frames[-1] in _WAITS:
            continue  # a thread that waits for work, which py-spy cannot always tell
        if _LOOP in frames[:-1]:
            frames = frames[frames.index(_LOOP) + 1 :]
        own[frames[-1]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    total = max(1, own.total())
    parts = [f"\n{total} samples of a busy process"]
    for title, counts in (("itself", own), ("with all it calls", within)):
        parts.append(f"\n| share | {title} |\n|---:|---|")
        parts += [f"| {100 * n / total:.1f} % | {f} |" for f, n in counts.most_common(SHOWN)]
    return "\n".join(parts)


def _without_line(frame: str) -> str:
    return frame.rpartition(":")[0] + ")" if frame.endswith(")") else frame
