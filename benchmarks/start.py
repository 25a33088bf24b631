"""Start: how long until the first page is answered, what importing costs, and the idle memory.

    uv run python benchmarks/start.py [--rounds 5]

Beside it in each round: the least that Quart can be, on the same hypercorn. Takes a minute. Linux.
"""

import argparse
import contextlib
import http.client
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import accounting, imports, stage, tables
from benchmarks.contestants import Peer, product
from benchmarks.tables import Target, spread
from tests.processes import Server

SERVE = "microblog serve"
HYPERCORN = "hypercorn microblog:app"
HELLO = "Quart hello, hypercorn"
IDLE_SECONDS = 2.0
PAGES = 100
WAIT_SECONDS = 30.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Start:
    """One start: until the first page, the CPU time until then, and the memory in MiB."""

    first_ms: float
    cpu_ms: float
    idle_mib: float
    proportional_mib: float
    used_mib: float
    processes: int


def ask(port: int) -> int | None:
    """Ask for the first page; the status, or None where nobody answers yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        return answer.status
    return None


def launch(server: Server) -> Start:
    """Start a server, ask until it answers, let it idle, and ask for some pages more."""
    server.is_ready = partial(_answers, server.port)  # type: ignore[method-assign]
    try:
        begun = time.monotonic()
        server.start(WAIT_SECONDS)
        first = time.monotonic() - begun
        assert server.process is not None
        group = server.process.pid
        worked = accounting.cpu_seconds(group)
        time.sleep(IDLE_SECONDS)
        idle, proportional = accounting.resident_bytes(group), accounting.proportional_bytes(group)
        for _ in range(PAGES):
            if ask(server.port) != 200:
                raise RuntimeError(f"no page. It printed:\n{server.output()}")
        used = accounting.resident_bytes(group)
        return Start(
            1000 * first,
            1000 * worked,
            idle / MIB,
            proportional / MIB,
            used / MIB,
            accounting.processes(group),
        )
    finally:
        server.close()


def _answers(port: int) -> bool:
    return ask(port) == 200


def servers(folder: Path) -> dict[str, Callable[[], Server]]:
    """Return who is started; the database is there already."""
    stage.migrate(folder)
    own = partial(product, folder / "microblog.db", secrets.token_hex(32))
    hello = ("hypercorn", "--bind", "127.0.0.1:{port}", "benchmarks.peers.quart_hello:app")
    return {
        SERVE: partial(own, hypercorn=False),
        HYPERCORN: own,
        HELLO: partial(Peer, *hello),
    }


def print_starts(starts: dict[str, list[Start]]) -> None:
    head = ["server", "first page ms", "CPU ms until then", "idle MiB", "idle MiB, shared pages "]
    head[-1] += "divided"
    head += [f"MiB after {PAGES} pages", "processes"]
    rows = [
        [
            name,
            spread([s.first_ms for s in seen], 0),
            spread([s.cpu_ms for s in seen], 0),
            spread([s.idle_mib for s in seen]),
            spread([s.proportional_mib for s in seen]),
            spread([s.used_mib for s in seen]),
            spread([s.processes for s in seen], 0),
        ]
        for name, seen in starts.items()
    ]
    print("\n" + tables.markdown(head, rows))


def print_imports(times: dict[str, list[tuple[float, float]]]) -> None:
    rows = [
        [
            f"import {name}",
            spread([1000 * wall for wall, _ in seen], 0),
            spread([1000 * worked for _, worked in seen], 0),
        ]
        for name, seen in times.items()
    ]
    print("\n" + tables.markdown(["in a fresh interpreter", "ms", "CPU ms"], rows))


def print_verdicts(
    starts: dict[str, list[Start]], times: dict[str, list[tuple[float, float]]]
) -> None:
    targets = []
    for name in (SERVE, HYPERCORN):
        first = [s.first_ms / 1000 for s in starts[name]]
        beside = tables.ratios(first, [s.first_ms / 1000 for s in starts[HELLO]])
        text = f"{spread(first, 2)} s; {spread(beside)} × the Quart hello"
        median = sorted(first)[len(first) // 2]
        targets.append(Target(f"P11: `{name}` to the first page ≤ 1.5 s", text, median <= 1.5))
    ours = [wall for wall, _ in times["microblog"]]
    beside = tables.ratios(ours, [wall for wall, _ in times["quart"]])
    text = f"{spread(ours, 2)} s; {spread(beside)} × `import quart`"
    targets.append(Target("P11: import ≤ 0.8 s", text, sorted(ours)[len(ours) // 2] <= 0.8))
    for name in (SERVE, HYPERCORN):
        idle = [s.idle_mib * MIB / 1e6 for s in starts[name]]
        shared = [s.proportional_mib * MIB / 1e6 for s in starts[name]]
        beside = tables.ratios(idle, [s.idle_mib * MIB / 1e6 for s in starts[HELLO]])
        text = f"{spread(idle, 0)} MB resident, {spread(shared, 0)} MB with shared pages divided; "
        text += f"{spread(beside)} × the Quart hello"
        median = sorted(idle)[len(idle) // 2]
        targets.append(Target(f"P11: `{name}` idle ≤ 120 MB", text, median <= 120))
    print("\n" + tables.verdicts(targets))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="1 to 100")
    parser.add_argument("--imports", type=int, default=15, help="dearest imports to show")
    chosen = parser.parse_args()
    if not 0 < chosen.rounds <= 100:
        parser.error("--rounds is out of bounds")
    return chosen


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    with tempfile.TemporaryDirectory(prefix="microblog-start-") as name:
        folder = Path(name)
        makers = servers(folder)
        starts: dict[str, list[Start]] = {name: [] for name in makers}
        times: dict[str, list[tuple[float, float]]] = {"microblog": [], "quart": []}
        for module in times:
            imports.seconds(module, folder)  # so that every byte code is there
        for number in range(options.rounds):
            turn = number % len(makers)  # nobody always comes first
            for server in [*makers, *makers][turn : turn + len(makers)]:
                starts[server].append(launch(makers[server]()))
            for module, seen in times.items():
                seen.append(imports.seconds(module, folder))
            print(f"round {number + 1} is done", flush=True)
        print_starts(starts)
        print_imports(times)
        print_verdicts(starts, times)
        print("\n" + imports.dearest(imports.traced("microblog", folder), options.imports))


if __name__ == "__main__":
    main()
