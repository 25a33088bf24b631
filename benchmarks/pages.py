"""Pages: what the home feed and a new post cost, beside a Flask app of the tutorial's shape.

    uv run --with flask-sqlalchemy --with gunicorn --with uvloop python benchmarks/pages.py

Each site has one worker, and all have the same people and posts: a thousand posts, and two
hundred thousand. The reader follows 500 people. The Flask app comes once as the tutorial has it,
with the time of the last visit written at every request, and once without that. Takes five
minutes (`--large 0` leaves the many posts out). `--profile` (with `--with py-spy`) shows where
Microblog's time goes instead. Linux.
"""

import argparse
import contextlib
import signal
import sys
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from benchmarks import profiling, report, sites, tables, tutorial_site
from benchmarks.archive import Archive, archive
from benchmarks.asking import Asker
from benchmarks.rounds import Run, compared, measure, tell
from benchmarks.sites import API, FORM, HTML, JSON, PRODUCT, Site
from benchmarks.tables import Target, ratios, spread
from benchmarks.tutorial_site import LEAN, PEER

WARM_REQUESTS = 60
READS, WRITES = (JSON, HTML, sites.QUIET), (FORM, API)
NEEDED = {JSON: 10.0, HTML: 8.0, FORM: 5.0, API: 5.0}
GROWTH, WRITE_MS = 1.5, 30.0


Runs = dict[tuple[str, int, str], list[Run]]
"""The rounds of each site, number of posts and kind of request."""

Entered = Sequence[tuple[Site, int]]
"""The sites that take part, each with the number of its posts."""


def read_rounds(
    asker: Asker, entered: Sequence[tuple[Site, int]], options: argparse.Namespace
) -> Runs:
    """Ask for pages, by turns; nothing is written, so no site grows meanwhile."""
    runs: Runs = defaultdict(list)
    for number in range(options.rounds):
        for kind in READS:
            turn = number % len(entered)  # nobody always comes first
            for site, posts in [*entered[turn:], *entered[:turn]]:
                slow = site.name == PEER and posts == options.large  # may take many seconds
                if not number:
                    measure(asker, site, kind, options.seconds, 1 if slow else WARM_REQUESTS)
                runs[site.name, posts, kind].append(
                    measure(asker, site, kind, options.seconds, 1 if slow else options.most)
                )
                tell(number, site, f"{kind}, {posts:,} posts", runs[site.name, posts, kind][-1])
    return runs


def write_rounds(
    asker: Asker, entered: Sequence[tuple[Site, int]], options: argparse.Namespace
) -> Runs:
    """Write posts, by turns."""
    runs: Runs = defaultdict(list)
    for number in range(options.rounds):
        for kind in WRITES:
            turn = number % len(entered)
            for site, posts in [*entered[turn:], *entered[:turn]]:
                if not number:
                    measure(asker, site, kind, options.seconds, WARM_REQUESTS)
                runs[site.name, posts, kind].append(
                    measure(asker, site, kind, options.seconds, options.most)
                )
                tell(number, site, f"{kind}, {posts:,} posts", runs[site.name, posts, kind][-1])
    return runs


def table(runs: Runs) -> str:
    head = [
        "site",
        "posts",
        "request",
        "a second",
        "CPU ms",
        "p50 ms",
        "p99 ms",
        "bytes",
        "answers",
    ]
    rows = [
        [
            name,
            f"{posts:,}",
            kind,
            spread([run.answers.per_second for run in seen]),
            spread([run.cpu_ms for run in seen], 2),
            spread([run.answers.at(0.5) for run in seen]),
            spread([run.answers.at(0.99) for run in seen]),
            f"{seen[-1].answers.size_bytes:,}",
            f"{sum(run.answers.count for run in seen):,}",
        ]
        for (name, posts, kind), seen in runs.items()
    ]
    return tables.markdown(head, rows)


def verdicts(runs: Runs, options: argparse.Namespace) -> str:
    targets = []
    for kind, needed in NEEDED.items():
        ours = runs[PRODUCT, options.small, kind]
        speed = compared(ours, runs[PEER, options.small, kind])
        lean = compared(ours, runs[LEAN, options.small, kind])
        row = "P7" if kind == JSON else "P8"
        name = f"{row}: {kind} ≥ {needed:g} × the Flask app, {options.small:,} posts"
        text = f"{spread(speed[0])} × as many a second, for {spread(speed[1], 2)} × the CPU each; "
        text += f"{spread(lean[0])} × and {spread(lean[1], 2)} × where visits are not written"
        reached = [median(speed[0])]
        if kind in READS:  # a page is computing alone: what the machine did besides must not count
            reached.append(1 / median(speed[1]))
        targets.append(Target(name, text, min(reached) >= needed))
        if kind in WRITES:
            late = [run.answers.at(0.99) for run in ours]
            name = f"P8: {kind}, p99 ≤ {WRITE_MS:g} ms, {options.writers} writers without a pause"
            targets.append(Target(name, f"{spread(late)} ms", median(late) <= WRITE_MS))
    few = {kind: runs[PRODUCT, options.small, kind] for kind in (JSON, HTML)}
    for kind in READS if options.large else ():
        # The quiet wrote less than a page of a thousand posts: theirs is held against a full one.
        small = few.get(kind, few[JSON])
        many = runs[PRODUCT, options.large, kind]
        grown = ratios([run.cpu_ms for run in many], [run.cpu_ms for run in small])
        name = f"P7: {kind}, CPU with {options.large:,} posts ≤ {GROWTH} × a page with "
        text = f"{spread(grown, 2)} ×"
        targets.append(Target(f"{name}{options.small:,}", text, median(grown) <= GROWTH))
    return tables.verdicts(targets)


def profile(asker: Asker, site: Site, options: argparse.Namespace) -> None:
    """Print where Microblog's time goes, for each kind of request."""
    for kind in (*READS[:2], *WRITES):
        measure(asker, site, kind, options.seconds, WARM_REQUESTS)
        print(f"\n### {kind}", flush=True)
        with profiling.sampled(site.group, True):
            run = measure(asker, site, kind, options.seconds, options.most)
        print(f"\nmeanwhile {run.answers.per_second:.1f} a second, CPU {run.cpu_ms:.2f} ms")


def past(posts: int, options: argparse.Namespace) -> Archive:
    return archive(
        posts,
        writers=options.people,
        followed=options.followed,
        follows_each=options.follows_each,
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=1_000, help="posts, at least 500")
    parser.add_argument("--large", type=int, default=200_000, help="posts; 0 for none")
    parser.add_argument("--people", type=int, default=1_000, help="who write")
    parser.add_argument("--followed", type=int, default=500, help="whom the reader follows")
    parser.add_argument("--follows-each", type=int, default=10, help="whom each of them follows")
    parser.add_argument("--connections", type=int, default=4, help="that read")
    parser.add_argument("--writers", type=int, default=16, help="that write")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="a round of one kind")
    parser.add_argument("--most", type=int, default=100_000, help="requests in a round of a kind")
    parser.add_argument("--profile", action="store_true", help="where Microblog's time goes")
    chosen = parser.parse_args()
    if chosen.small < 500 or chosen.large < 0 or chosen.rounds < 1 or chosen.connections < 1:
        parser.error("out of bounds")
    if not max(chosen.followed, chosen.writers, chosen.follows_each + 1) <= chosen.people:
        parser.error("--people is too small")
    return chosen


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    with contextlib.ExitStack() as stack:
        asker = stack.enter_context(Asker())
        entered: list[tuple[Site, int]] = []
        makers = [sites.microblog, tutorial_site.flask, tutorial_site.lean_flask]
        for posts in dict.fromkeys((options.small, options.large)):
            if not posts or options.profile:
                continue
            for make in makers if posts == options.small else makers[:2]:
                site = make(past(posts, options), options.connections, options.writers)
                entered.append((stack.enter_context(site), posts))
                print(f"{entered[-1][0].name} has {posts:,} posts", flush=True)
        if options.profile:
            site = sites.microblog(
                past(options.small, options), options.connections, options.writers
            )
            profile(asker, stack.enter_context(site), options)
            return
        runs = read_rounds(asker, entered, options)
        small = [(site, posts) for site, posts in entered if posts == options.small]
        runs |= write_rounds(asker, small, options)
        for site, _ in entered:
            for line in report.troubles(site.server.output())[:10]:
                print(f"{site.name}: {line}")
        print("\n" + table(runs) + "\n\n" + verdicts(runs, options))


if __name__ == "__main__":
    main()
