"""Log-ins: what twenty at once do to the loop and to everyone else's requests, beside idle.

    uv run --with uvloop python benchmarks/logins.py [--logins 20] [--rounds 5]

Passwords are hashed at the default cost. One cheap request goes out every 5 ms, unless the one
before still waits: how long it takes is the lag of the loop as it is seen from outside. Takes a
minute. `--profile` (with `--with py-spy`) shows where the time goes meanwhile instead. Linux.
"""

import argparse
import asyncio
import contextlib
import re
import signal
import sys
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlencode

from benchmarks import asking, profiling, report, sites, tables
from benchmarks.archive import FIRST_WRITER, archive, username
from benchmarks.asking import Answers, Ask, Asker
from benchmarks.sites import JSON, Site
from benchmarks.tables import Target, ratios, spread
from microblog.core import passwords

PASSWORD = "a long enough sentence"
LAG_MS, SLOWER = 10.0, 2.0
HEALTH_SECONDS = 0.005
PAGE_SECONDS = 0.04
LINES = 4
_FIELD = re.compile(rb'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Run:
    """A spell of cheap requests and pages; `logins` is None where nobody logged in."""

    health: Answers
    pages: Answers
    logins: Answers | None


def form(port: int, person: int) -> bytes:
    """Return the log-in that a browser sends from the page it has seen."""
    page = asyncio.run(asking.exchange(port, asking.get(port, "/auth/login")))
    found = _FIELD.search(page.body)
    if found is None:
        raise RuntimeError(f"no form on the page, which was answered {page.status}")
    fields = {"username": username(person), "password": PASSWORD, "csrf_token": found[1].decode()}
    headers = f"Cookie: {'; '.join(sites.cookies(page))}\r\n"
    headers += f"Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n"
    return asking.post(port, "/auth/login", urlencode(fields).encode(), sites.FORM_TYPE, headers)


def logins(site: Site, count: int) -> Ask:
    """Return an order for so many log-ins at once, each of somebody else."""
    port = site.server.port
    requests = [form(port, FIRST_WRITER + number) for number in range(count)]
    return Ask(port, requests, 303, seconds=60.0, most=count)


def spell(asker: Asker, site: Site, seconds: float, entering: Ask | None) -> Run:
    """Ask for some seconds, with log-ins at the same time or without."""
    port, feed = site.server.port, site.sent[JSON]
    health = Ask(
        port,
        [asking.get(port, "/healthz")],
        200,
        seconds,
        every_seconds=HEALTH_SECONDS,
        skips=True,
    )
    pages = Ask(
        port, feed.requests, 200, seconds, feed.mark, feed.marks, every_seconds=PAGE_SECONDS
    )
    if entering is None:
        return Run(*asker.ask(health, pages), None)
    return Run(*asker.ask(health, pages, entering))


def table(runs: dict[str, list[Run]]) -> str:
    head = ["meanwhile", "request", "p50 ms", "p99 ms", "the longest", "answers"]
    rows = []
    for name, seen in runs.items():
        kinds = {
            "/healthz, every 5 ms": [run.health for run in seen],
            "home as JSON, every 40 ms": [run.pages for run in seen],
            "log-in": [run.logins for run in seen if run.logins],
        }
        rows += [
            [
                name,
                kind,
                spread([each.at(0.5) for each in answers]),
                spread([each.at(0.99) for each in answers]),
                spread([each.at(1.0) for each in answers]),
                str(sum(each.count for each in answers)),
            ]
            for kind, answers in kinds.items()
            if answers
        ]
    return tables.markdown(head, rows)


def verdicts(idle: list[Run], busy: list[Run], count: int) -> str:
    lag = [run.health.at(0.99) for run in busy]
    longest = [run.health.at(1.0) for run in busy]
    beside = [run.health.at(0.99) for run in idle]
    slower = ratios([run.pages.at(0.99) for run in busy], [run.pages.at(0.99) for run in idle])
    return tables.verdicts(
        [
            Target(
                f"P9: {count} log-ins at once, lag of the loop ≤ {LAG_MS:g} ms",
                f"p99 {spread(lag)} ms, the longest {spread(longest)} ms; idle {spread(beside)} ms",
                median(lag) <= LAG_MS,
            ),
            Target(
                f"P9: other requests' p99 ≤ {SLOWER:g} × idle",
                f"{spread(slower)} ×",
                median(slower) <= SLOWER,
            ),
        ]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--logins", type=int, default=20, help="1 to 200")
    parser.add_argument("--posts", type=int, default=1_000, help="in the database")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where Microblog's time goes")
    chosen = parser.parse_args()
    if not 0 < chosen.logins <= 200 or chosen.rounds < 1 or chosen.posts < 500:
        parser.error("out of bounds")
    return chosen


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    past = archive(options.posts, writers=500, followed=100, follows_each=10)
    hashed = passwords.hash_password(PASSWORD)
    with Asker() as asker, contextlib.ExitStack() as stack:
        site = stack.enter_context(sites.microblog(past, LINES, 1, hashed))
        entering = logins(site, options.logins)
        asker.ask(entering)  # the first of all makes the hash that nobody has
        (alone,) = asker.ask(entering)
        print(f"{options.logins} log-ins alone take {alone.seconds:.2f} s", flush=True)
        spell(asker, site, 1.0, None)
        if options.profile:
            with profiling.sampled(site.group, True):
                spell(asker, site, alone.seconds, entering)
            return
        runs: dict[str, list[Run]] = {"nothing": [], f"{options.logins} log-ins": []}
        for _ in range(options.rounds):
            for name, order in zip(runs, (None, entering), strict=True):
                runs[name].append(spell(asker, site, alone.seconds, order))
        idle, busy = runs.values()
        for line in report.troubles(site.server.output())[:10]:
            print(line)
        print("\n" + table(runs) + "\n\n" + verdicts(idle, busy, options.logins))


if __name__ == "__main__":
    main()
