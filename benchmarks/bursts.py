"""Bursts: fifty events at once to many connections, in their order, beside two peers.

    uv run --with uvloop python benchmarks/bursts.py [--sockets 1000] [--bursts 10] [--rounds 3]

Microblog finds fifty posts that were committed together, asks who may see them, renders them and
writes them to everyone. The peers are sent fifty frames of the same size without a pause. One
worker each. Takes two minutes. Linux.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import accounting, contestants, profiling, report, stage, tables
from benchmarks.contestants import BROADCAST, CEILING, Contestant
from benchmarks.crowd import Arrivals, Await, Crowd, Open
from benchmarks.fanout import SPARE_DESCRIPTORS, allow_descriptors
from benchmarks.publishers import Burst
from benchmarks.stage import Stage
from benchmarks.tables import Target, ratios, spread
from tests.processes import Server

PRODUCT = "microblog, explore"
WARM_BURSTS = 2
WAIT_SECONDS = 60.0
EVENTS_A_SECOND = 500_000


@dataclass(frozen=True, slots=True)
class Run:
    """The bursts of one server in one round."""

    bursts: list[Arrivals]
    cpu_seconds: float

    @property
    def deliveries(self) -> int:
        return sum(each.deliveries for each in self.bursts)

    @property
    def delivery_us(self) -> float:
        return 1e6 * self.cpu_seconds / max(1, self.deliveries)

    @property
    def per_second(self) -> float:
        """Return the deliveries of a second of the worker's CPU time."""
        return self.deliveries / max(self.cpu_seconds, 1e-9)

    @property
    def wrong(self) -> int:
        """Count what is missing, came twice, or came before what was published earlier."""
        return sum(each.missed + each.doubled for each in self.bursts)


def run_once(
    entrant: Contestant, crowd: Crowd, stage_: Stage, options: argparse.Namespace
) -> tuple[Run, bytes]:
    """Start a server, connect the crowd, and send the bursts one after the other."""
    server = entrant.make()
    try:
        server.start()
        assert server.process is not None
        group = server.process.pid
        crowd.open(Open(server.port, entrant.path, list(entrant.headers)))
        send, close = _sender(entrant, server, stage_)
        for _ in range(WARM_BURSTS):
            warm = crowd.wait(Await(send(options.events), WAIT_SECONDS))
        before = accounting.cpu_seconds(group)
        with profiling.sampled(group, options.profile and entrant.name == PRODUCT):
            bursts = [
                crowd.wait(Await(send(options.events), WAIT_SECONDS)) for _ in range(options.bursts)
            ]
        run = Run(bursts, accounting.cpu_seconds(group) - before)
        close()
        crowd.leave()
        for line in report.troubles(server.output())[:10]:
            print(f"{entrant.name}: {line}")
        return run, warm.sample
    finally:
        server.close()


Send = Callable[[int], dict[int, float]]


def _sender(entrant: Contestant, server: Server, stage_: Stage) -> tuple[Send, Callable[[], None]]:
    if entrant.name == PRODUCT:
        burst = Burst(server.folder / "var" / "microblog.db", stage_.author_id)
        return burst.publish, lambda: None
    publisher = entrant.publisher(server.port)

    def send(count: int) -> dict[int, float]:
        at = time.monotonic()
        return {publisher.publish()[0]: at for _ in range(count)}

    return send, publisher.close


def single(sample: bytes) -> bytes:
    """Cut a frame of many items down to its first post, which is what the peers send."""
    frame = json.loads(sample)
    frame["items"] = [item for item in frame["items"] if item["kind"] == "post.published"][:1]
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()


def tell(number: int, name: str, run: Run) -> None:
    print(
        f"round {number + 1}  {name:28}{run.delivery_us:7.2f} µs a delivery, "
        f"{run.per_second:,.0f} a second of CPU, p99 "
        f"{median(each.p99_ms for each in run.bursts):.0f} ms, wrong {run.wrong}",
        flush=True,
    )


def table(runs: dict[str, list[Run]]) -> str:
    head = ["server", "CPU µs a delivery", "deliveries a second of CPU", "p50 ms of a burst"]
    head += ["p99 ms", "deliveries", "missed", "doubled or out of order"]
    rows = [
        [
            name,
            spread([run.delivery_us for run in seen], 2),
            spread([run.per_second for run in seen], 0),
            spread([median(each.p50_ms for each in run.bursts) for run in seen]),
            spread([median(each.p99_ms for each in run.bursts) for run in seen]),
            f"{sum(run.deliveries for run in seen):,}",
            str(sum(each.missed for run in seen for each in run.bursts)),
            str(sum(each.doubled for run in seen for each in run.bursts)),
        ]
        for name, seen in runs.items()
    ]
    return tables.markdown(head, rows)


def verdicts(runs: dict[str, list[Run]], events: int) -> str:
    ours = runs[PRODUCT]
    speed = [run.per_second for run in ours]
    text = f"{spread(speed, 0)} a second of the worker's CPU"
    for name, seen in runs.items():
        if name != PRODUCT:
            beside = ratios(speed, [run.per_second for run in seen])
            text += f"; {spread(beside, 2)} × {name}"
    wrong = sum(run.wrong for run in ours)
    return tables.verdicts(
        [
            Target(
                f"P3: bursts of {events}: ≥ {EVENTS_A_SECOND:,} events a second and worker",
                text,
                median(speed) >= EVENTS_A_SECOND,
            ),
            Target("P3: none missed, doubled or out of its order", str(wrong), not wrong),
        ]
    )


def entrants(
    ready: Stage, crowd: Crowd, options: argparse.Namespace
) -> tuple[list[Contestant], dict[str, list[Run]]]:
    """Return who takes part; takes one real frame for the peers to copy."""
    ours = contestants.microblog(ready, "explore")
    brief = argparse.Namespace(**{**vars(options), "bursts": 1, "profile": False})
    _, sample = run_once(ours, crowd, ready, brief)
    frame = single(sample)
    print(f"The peers' frames have {len(frame)} bytes.", flush=True)
    beside = contestants.peers(options.sockets, frame)
    taking_part = [ours, *(each for each in beside if each.name in (BROADCAST, CEILING))]
    return taking_part, {each.name: [] for each in taking_part}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=1000, help="1 to 10000")
    parser.add_argument("--events", type=int, default=50, help="of a burst, 1 to 500")
    parser.add_argument("--bursts", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where Microblog's time goes")
    chosen = parser.parse_args()
    if not 0 < chosen.sockets <= 10_000 or not 0 < chosen.events <= 500:
        parser.error("--sockets or --events is out of bounds")
    if chosen.bursts < 1 or chosen.rounds < 1:
        parser.error("--bursts or --rounds is out of bounds")
    return chosen


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    allow_descriptors(options.sockets + SPARE_DESCRIPTORS)
    with tempfile.TemporaryDirectory(prefix="microblog-bursts-") as folder, Crowd() as crowd:
        stage.migrate(Path(folder))
        ready = asyncio.run(stage.prepare(Path(folder), options.sockets))
        if options.profile:
            ours = contestants.microblog(ready, "explore")
            tell(0, PRODUCT, run_once(ours, crowd, ready, options)[0])
            return
        taking_part, runs = entrants(ready, crowd, options)
        for number in range(options.rounds):
            turn = number % len(taking_part)  # nobody always comes first
            for entrant in taking_part[turn:] + taking_part[:turn]:
                run, _ = run_once(entrant, crowd, ready, options)
                runs[entrant.name].append(run)
                tell(number, entrant.name, run)
    print("\n" + table(runs) + "\n\n" + verdicts(runs, options.events))


if __name__ == "__main__":
    main()
