"""How long the supervisor of the workers sleeps: until something is due, and never not at all."""

import os
import subprocess
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from microblog.cli import workers
from microblog.cli.forking import Child
from microblog.cli.process import Plan
from microblog.cli.workers import RENEWAL_SECONDS, Supervisor

WORKERS = 2


def plan() -> Plan:
    """Return a plan that listens nowhere."""
    listening = SimpleNamespace(held={}, close_those_not_in=lambda held: None)
    return cast("Plan", SimpleNamespace(workers=WORKERS, listening=listening, settings=None))


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """The children that the supervisor makes: they do nothing, and for long."""
    running: list[subprocess.Popen[bytes]] = []
    made: list[Child] = []

    def fork(work: Any, not_theirs: Any) -> Child:
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        process = subprocess.Popen(["sleep", "60"], pass_fds=[theirs])
        os.close(theirs)
        running.append(process)
        made.append(Child(process.pid, ours))
        return made[-1]

    monkeypatch.setattr(workers, "fork", fork)
    yield made
    for child, process in zip(made, running, strict=True):
        child.close()
        process.kill()
        process.wait()


@pytest.fixture
def supervisor(children: list[Child]) -> Supervisor:
    """A supervisor whose workers run, and that has just been told to read everything anew."""
    made = Supervisor(plan(), lambda held: plan(), hangup_ends=False)
    made._spawn()
    assert len(children) == WORKERS
    assert made._patience() is None
    made._renew()
    assert len(children) == WORKERS + 1
    return made


def test_supervisor_sleeps_while_the_check_of_the_database_takes_long(
    supervisor: Supervisor,
) -> None:
    """A migration may take minutes; with nothing to do meanwhile, it must not be asked about."""
    supervisor._begun_at -= RENEWAL_SECONDS + 1
    supervisor._go_on()
    assert supervisor._patience() is None


def test_supervisor_wakes_when_new_workers_are_not_ready_in_time(supervisor: Supervisor) -> None:
    supervisor._checked(0)
    assert supervisor._patience() == 0  # the new ones are due now
    supervisor._spawn()
    patience = supervisor._patience()
    assert patience is not None
    assert RENEWAL_SECONDS - 5 < patience <= RENEWAL_SECONDS
    supervisor._begun_at -= RENEWAL_SECONDS + 1
    supervisor._go_on()
    assert supervisor._coming is None


def test_supervisor_wakes_to_kill_those_that_do_not_leave(supervisor: Supervisor) -> None:
    supervisor._dismiss(supervisor._current)
    patience = supervisor._patience()
    assert patience is not None
    assert 0 < patience <= workers.KILL_SECONDS
    for pid in supervisor._leaving:
        supervisor._leaving[pid] = time.monotonic()
    supervisor._go_on()
    assert supervisor._patience() == 0
