"""Threads for what takes a processor long: passwords and pictures. Each has its own few."""

import contextlib
import os
import sys
import threading

NICENESS = 10


def step_back() -> None:
    """Let this thread have what the others leave: the loop must not wait for a turn.

    Linux alone gives a thread a niceness of its own (sched(7)).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
