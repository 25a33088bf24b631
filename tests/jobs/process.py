"""A worker in a process of its own that knows the tests' task, to be killed and stopped.

`WorkerProcess` starts it from a test; `python -m tests.jobs.process` is the process.
"""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from microblog.core.tasks import PurgePerson
from microblog.jobs import HANDLERS
from microblog.jobs.worker import Worker
from microblog.runtime import Runtime
from microblog.settings import Settings
from tests.cli.conftest import variables
from tests.jobs.tallies import CARELESS, HANDLER, Tally
from tests.processes import Server, clean_environment

CAREFUL, CONTROL, DEPARTING = "careful", "careless", "departing"
SHORT_LEASE_SECONDS = 1.0  # what a killed worker had is taken over soon
ROOT = Path(__file__).parents[2]


class WorkerProcess(Server):
    """A worker, `CAREFUL` or, as the control, one whose effects are not committed with its jobs; or
    one that deletes what people left.
    """

    name = "worker"

    def __init__(
        self, settings: Settings, manner: str = CAREFUL, lease_seconds: float = SHORT_LEASE_SECONDS
    ) -> None:
        super().__init__()
        self._variables = variables(settings)
        self._words = [manner, str(lease_seconds)]

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "tests.jobs.process", *self._words]

    def environment(self) -> Mapping[str, str]:
        return {**clean_environment(), **self._variables, "PYTHONPATH": str(ROOT)}

    def is_ready(self) -> bool:
        return "working" in self.output()


async def work(manner: str, lease_seconds: float) -> None:
    """Work until SIGTERM."""
    opened = Runtime.assemble(Settings.from_env(), ("test" * 16,))
    await opened.open()
    handlers = {Tally.kind: CARELESS if manner == CONTROL else HANDLER}
    if manner == DEPARTING:
        handlers = {PurgePerson.kind: HANDLERS[PurgePerson.kind]}
    worker = Worker(opened, 4, handlers=handlers, lease_seconds=lease_seconds)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, opened.stopping.set)
    worker.begin()
    print("working", flush=True)
    await opened.stopping.wait()
    await worker.end()
    await opened.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], float(sys.argv[2])))
