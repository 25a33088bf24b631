"""What importing a module costs, by Python's own account (`-X importtime`); for `start`."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import markdown

_CLOCK = """
import time
begun, worked = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - begun, time.process_time() - worked)
"""


@dataclass(frozen=True, slots=True)
class Import:
    """One module: what it takes itself, and with all that it imports."""

    name: str
    own_ms: float
    whole_ms: float


def seconds(module: str, folder: Path) -> tuple[float, float]:
    """Return how long a fresh interpreter imports a module, and the CPU time of that."""
    words = [sys.executable, "-c", _CLOCK.format(module=module)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder)
    wall, worked = done.stdout.split()
    return float(wall), float(worked)


def traced(module: str, folder: Path) -> list[Import]:
    """Return everything that a module imports."""
    words = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder)
    found = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        whole, _, name = rest.partition("|")
        if own.strip().isdigit():
            found.append(Import(name.strip(), int(own) / 1000, int(whole) / 1000))
    return found


def dearest(found: list[Import], shown: int) -> str:
    """Return three tables: the dearest with all they import, by themselves, and by package."""
    whole = sorted(found, key=lambda each: -each.whole_ms)[:shown]
    own = sorted(found, key=lambda each: -each.own_ms)[:shown]
    packages: Counter[str] = Counter()
    for each in found:
        packages[each.name.partition(".")[0]] += round(each.own_ms * 1000)
    return "\n\n".join(
        [
            markdown(
                ["import, with all it imports", "ms"],
                [[e.name, f"{e.whole_ms:.1f}"] for e in whole],
            ),
            markdown(["import, by itself", "ms"], [[e.name, f"{e.own_ms:.1f}"] for e in own]),
            markdown(
                ["package, all its modules by themselves", "ms"],
                [[name, f"{us / 1000:.1f}"] for name, us in packages.most_common(shown)],
            ),
        ]
    )
