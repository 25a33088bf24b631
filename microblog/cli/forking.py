"""Children of a process: one pipe each, on which a child says a word. `workers` calls this."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn

_NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD")
SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]  # all, where fork is


class Child:
    """A forked process, and what it has said so far."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.said = b""
        self.started = time.monotonic()
        self.ended = False  # whether it will say no more
        self._pipe = pipe

    def fileno(self) -> int:
        return self._pipe

    def listen(self) -> None:
        """Take what it has said; does not wait."""
        if not self.ended:
            with suppress(BlockingIOError):
                word = os.read(self._pipe, 65_536)
                self.said += word
                if not word:
                    self.close()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close(self) -> None:
        """Listen to it no longer."""
        if not self.ended:
            self.ended = True
            os.close(self._pipe)


def fork(work: Callable[[Callable[[bytes], None]], None], not_theirs: Iterable[int]) -> Child:
    """Do some work in a new process, which can say something to this one.

    Its signals are those of a program that has just started; `not_theirs` are closed there. Both
    are done before any signal can reach it.
    """
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(work, theirs, [ours, *not_theirs], before)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(theirs)
    return Child(pid, ours)


def _become(
    work: Callable[[Callable[[bytes], None]], None],
    pipe: int,
    closed: Iterable[int],
    mask: Iterable[int],
) -> NoReturn:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's business
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for descriptor in closed:
            os.close(descriptor)
        work(lambda word: _say(pipe, word))
        status = 0
    except BaseException:  # noqa: BLE001 - nothing may return to what the parent was doing
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _say(pipe: int, word: bytes) -> None:
    with suppress(BrokenPipeError):
        os.write(pipe, word)


def how_it_ended(status: int) -> dict[str, int | str]:
    """Return the exit status, or the signal's name, of what `waitpid` says."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return {"status": code}
    try:
        return {"signal": signal.Signals(-code).name}
    except ValueError:
        return {"signal": str(-code)}
