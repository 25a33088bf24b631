"""The supervisor of `microblog serve --workers N`: forks workers, and replaces those that die.

It opens nothing but the addresses and runs no event loop and no thread, so that a fork of it is a
clean start. All workers accept from the same listening sockets (docs/decisions/008).
"""

import gc
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from microblog.cli.counting import Counting
from microblog.cli.forking import SIGNALS, Child, fork, how_it_ended
from microblog.cli.migrations import upgrade_to_head
from microblog.cli.plainly import sentence
from microblog.cli.process import Plan, Process
from microblog.core.errors import MicroblogError
from microblog.edge import logs

YOUNG_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
KILL_SECONDS = 4.5  # after SIGTERM; a worker ends itself before that (edge.drain)
RENEWAL_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass
class Slot:
    """The place of one worker: who is in it, or from when on somebody may be."""

    worker: Child | None = None
    deaths: int = 0
    due: float = 0.0


@dataclass
class Generation:
    """The workers of one plan."""

    plan: Plan
    slots: list[Slot] = field(init=False)

    def __post_init__(self) -> None:
        self.slots = [Slot() for _ in range(self.plan.workers)]

    @property
    def workers(self) -> list[Child]:
        return [slot.worker for slot in self.slots if slot.worker is not None]

    @property
    def is_ready(self) -> bool:
        return all(slot.worker is not None and slot.worker.said for slot in self.slots)


class Supervisor:
    """Keeps a plan's workers alive, until it is told to stop."""

    def __init__(
        self, plan: Plan, read: Callable[[Mapping[str, int]], Plan], *, hangup_ends: bool
    ) -> None:
        self._read = read
        self._hangup_ends = hangup_ends
        self._current = Generation(plan)
        self._coming: Generation | None = None
        self._begun_at = 0.0
        self._checker: Child | None = None
        self._leaving: dict[int, float] = {}
        self._counting = Counting()
        self._signals: list[int] = []
        self._stopping = False
        self._alive, self._kept_open = os.pipe()
        self._woken, self._waker = os.pipe()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then return when the last worker is gone."""
        gc.collect()
        gc.freeze()  # what is shared with the workers is never touched by their collector
        self._hear()
        try:
            while not self._stopping or self._current.workers or self._leaving:
                self._spawn()
                self._wait()
                self._reap()
                while self._signals:
                    self._obey(self._signals.pop(0))
                self._go_on()
        finally:
            self._counting.close()

    def _hear(self) -> None:
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, frame: self._signals.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    # --- Workers -----------------------------------------------------------------------------

    def _spawn(self) -> None:
        if self._stopping:
            return
        for generation in filter(None, (self._current, self._coming)):
            for slot in generation.slots:
                if slot.worker is None and slot.due <= time.monotonic():
                    slot.worker = self._fork_worker(generation.plan)
                    log.info("worker.started", pid=slot.worker.pid)

    def _fork_worker(self, plan: Plan) -> Child:
        number = self._counting.free_number()

        def work(say: Callable[[bytes], None]) -> None:
            self._counting.begin(number)
            Process(plan, ready=lambda: say(b"ready"), alive=self._alive).serve()

        worker = fork(work, [self._kept_open, self._woken, self._waker])
        self._counting.note(worker.pid, number)
        return worker

    def _wait(self) -> None:
        """Wait for a signal, a word of a child, or the next thing that is due."""
        listened = [child for child in self._children() if not child.ended]
        try:
            waited_for: list[Any] = [self._woken, *listened]
            ready, _, _ = select.select(waited_for, [], [], self._patience())
        except InterruptedError:
            return
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)
        for child in listened:
            if child in ready:
                child.listen()

    def _children(self) -> list[Child]:
        found = [*self._current.workers, *(self._coming.workers if self._coming else [])]
        return [*found, self._checker] if self._checker else found

    def _patience(self) -> float | None:
        generations = filter(None, (self._current, self._coming))
        due = [slot.due for g in generations for slot in g.slots if slot.worker is None]
        due = [] if self._stopping else due
        due += self._leaving.values()
        if self._coming is not None and self._checker is None:
            due.append(self._begun_at + RENEWAL_SECONDS)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._bury(pid, status)

    def _bury(self, pid: int, status: int) -> None:
        self._counting.bury(pid)
        if self._leaving.pop(pid, None) is not None:
            log.info("worker.left", pid=pid, **how_it_ended(status))
        if self._checker is not None and self._checker.pid == pid:
            self._checked(status)
        for generation in filter(None, (self._current, self._coming)):
            for slot in generation.slots:
                if slot.worker is not None and slot.worker.pid == pid:
                    self._vacate(slot, status)
                    if generation is self._coming:
                        self._abandon("a new worker ended before it was ready")

    def _vacate(self, slot: Slot, status: int) -> None:
        """Empty the slot of a worker that ended, and say when the next one may come."""
        assert slot.worker is not None  # noqa: S101 - for the type checker
        worker, slot.worker = slot.worker, None
        worker.close()
        if self._stopping:
            return
        lived = time.monotonic() - worker.started
        pause = 0.0
        if lived < YOUNG_SECONDS:
            pause = min(FIRST_PAUSE_SECONDS * 2**slot.deaths, LONGEST_PAUSE_SECONDS)
        slot.deaths = slot.deaths + 1 if lived < YOUNG_SECONDS else 0
        slot.due = time.monotonic() + pause
        told = {"pid": worker.pid, "seconds": round(lived, 1), "again_in_seconds": pause}
        log.warning("worker.ended", **told, **how_it_ended(status))

    def _dismiss(self, generation: Generation) -> None:
        """Let the workers of a generation drain and go."""
        for worker in generation.workers:
            worker.send(signal.SIGTERM)
            worker.close()
            self._leaving[worker.pid] = time.monotonic() + KILL_SECONDS
        generation.slots.clear()

    # --- What the owner says -----------------------------------------------------------------

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP and not self._hangup_ends:
            self._renew()
        elif number != signal.SIGCHLD and not self._stopping:
            self._stopping = True
            self._abandon("the server stops")
            self._dismiss(self._current)
            self._current.plan.listening.close_those_not_in({})

    def _renew(self) -> None:
        """Read everything anew and have it checked; what is wrong changes nothing."""
        if self._stopping or self._coming is not None:
            return
        try:
            plan = self._read(self._current.plan.listening.held)
        except MicroblogError as error:
            log.error("reload.refused", reason=str(error))
            return
        self._coming = Generation(plan)
        self._coming.slots.clear()  # until its database is found to be right
        self._begun_at = time.monotonic()

        def check(say: Callable[[bytes], None]) -> None:
            try:
                upgrade_to_head(plan.settings)
            except MicroblogError as error:
                say(sentence(error).encode())

        self._checker = fork(check, [self._kept_open, self._woken, self._waker])

    def _checked(self, status: int) -> None:
        assert self._checker is not None  # noqa: S101 - for the type checker
        checker, self._checker = self._checker, None
        checker.listen()
        checker.close()
        if self._coming is None:
            return
        if status != 0 or checker.said:
            self._abandon(checker.said.decode() or "the check of the database failed")
            return
        log.info("reload.begins", workers=self._coming.plan.workers)
        self._coming = Generation(self._coming.plan)
        self._begun_at = time.monotonic()

    def _abandon(self, reason: str) -> None:
        if self._coming is None:
            return
        log.error("reload.refused", reason=reason)
        coming, self._coming = self._coming, None
        self._dismiss(coming)
        coming.plan.listening.close_those_not_in(self._current.plan.listening.held)
        if self._checker is not None:
            self._checker.send(signal.SIGKILL)

    def _go_on(self) -> None:
        """Do what the time has come for."""
        now = time.monotonic()
        for pid, until in self._leaving.items():
            if until <= now:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self._coming is None or self._checker is not None:
            return
        if self._coming.is_ready:
            before, self._current, self._coming = self._current, self._coming, None
            self._dismiss(before)
            before.plan.listening.close_those_not_in(self._current.plan.listening.held)
            logs.configure(self._current.plan.settings)
            log.info("reload.done")
        elif now > self._begun_at + RENEWAL_SECONDS:
            self._abandon("the new workers did not become ready")
