"""The API: what its calls cost, beside a Flask app with the API of the tutorial's shape.

    uv run --with flask-sqlalchemy --with gunicorn --with uvloop python benchmarks/api.py

Both sites have one worker, the same people, posts and passwords, and are sent the same calls by
turns: tokens for a password, a person, a page of 25 people, a page of 25 posts of the home feed,
that page again with its ETag, and a new post. Each hashes passwords as it comes; what one hash
costs alone is printed. Takes four minutes. `--profile CALL` (with `--with py-spy`) shows where
Microblog's time goes instead. Linux.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import re
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from werkzeug.security import check_password_hash, generate_password_hash

from benchmarks import asking, profiling, report, sites, tables
from benchmarks.archive import FIRST_WRITER, READER, Archive, archive, username
from benchmarks.asking import Asker
from benchmarks.peers.flask_tutorial import PASSWORD
from benchmarks.rounds import Run, compared, measure, tell
from benchmarks.sites import PRODUCT, Sent, Site, bearer
from benchmarks.tables import Target, spread
from benchmarks.tutorial_site import served
from microblog.core import passwords

PEER = "Flask app"
TOKENS, PERSON, PEOPLE = "POST tokens", "GET a person", "GET 25 people"
FEED, SAME, WRITE = "GET 25 posts", "GET 25 posts, 304", "POST a post"
CALLS = (TOKENS, PERSON, PEOPLE, FEED, SAME, WRITE)
PAGE_OF_PEOPLE = "/api/users?page=2&per_page=25"
WARM_REQUESTS = 40
LOG_INS = 4

Runs = dict[tuple[str, str], list[Run]]
"""The rounds of each call to each site."""


def calls(port: int, feed: str, options: argparse.Namespace) -> dict[str, Sent]:
    """Return what a site is sent, by people who took their tokens as programs do."""
    writers = range(FIRST_WRITER, FIRST_WRITER + options.writers)
    reader, *authors = [_token(port, one) for one in (READER, *writers)]
    entering = [_entering(port, one) for one in writers[:LOG_INS]]
    page = asking.get(port, feed, reader)
    unless = f"{reader}If-None-Match: {_etag(port, page)}\r\n"
    each = options.connections
    return {
        TOKENS: Sent(entering, 200, b'"token"', 1),
        PERSON: Sent([asking.get(port, f"/api/users/{FIRST_WRITER}", reader)] * each, 200),
        PEOPLE: Sent([asking.get(port, PAGE_OF_PEOPLE, reader)] * each, 200, b'"username"', 25),
        FEED: Sent([page] * each, 200, b'"body"', 25),
        SAME: Sent([asking.get(port, feed, unless)] * each, 304),
        WRITE: Sent(
            [sites.written(port, author) for author in authors], 201, b'"body"', 1, publishes=True
        ),
    }


def _entering(port: int, person: int) -> bytes:
    proof = base64.b64encode(f"{username(person)}:{PASSWORD}".encode()).decode()
    return asking.post(
        port, "/api/tokens", b"", "application/json", f"Authorization: Basic {proof}\r\n"
    )


def _token(port: int, person: int) -> str:
    answer = asyncio.run(asking.exchange(port, _entering(port, person)))
    if answer.status != 200:
        raise RuntimeError(f"the log-in was answered {answer.status}: {answer.body!r}")
    return bearer(json.loads(answer.body)["token"])


def _etag(port: int, request: bytes) -> str:
    answer = asyncio.run(asking.exchange(port, request))
    found = re.search(rb"(?i)^etag: (.+?)\r?$", answer.head, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no ETag on an answer {answer.status}: {answer.body[:200]!r}")
    return found[1].decode()


@contextlib.contextmanager
def microblog(past: Archive, hashed: str, options: argparse.Namespace) -> Iterator[Site]:
    """Serve Microblog by plain hypercorn."""
    with sites.microblog(past, 1, 1, hashed) as site:
        yield replace(site, sent=calls(site.server.port, "/api/timelines/home", options))


@contextlib.contextmanager
def flask(past: Archive, options: argparse.Namespace) -> Iterator[Site]:
    """Serve the Flask app by one sync worker of gunicorn."""
    with served(past, "flask_api") as (server, database):
        yield Site(PEER, server, database, calls(server.port, "/api/feed", options))


def rounds(asker: Asker, entered: Sequence[Site], options: argparse.Namespace) -> Runs:
    """Call by turns; the posts are written last, for they make both sites grow."""
    runs: Runs = defaultdict(list)
    for call in options.calls:
        for number in range(options.rounds):
            turn = number % len(entered)  # nobody always comes first
            for site in [*entered[turn:], *entered[:turn]]:
                if not number:
                    measure(asker, site, call, options.seconds, WARM_REQUESTS)
                run = measure(asker, site, call, options.seconds, options.most)
                runs[site.name, call].append(run)
                tell(number, site, call, run)
    return runs


def table(runs: Runs, options: argparse.Namespace) -> str:
    """Return both sites beside each other; each ratio is the median of the rounds' own."""
    head = ["call"]
    for site in ("microblog", "Flask"):
        head += [f"{site}, a second", "p99 ms", "CPU ms"]
    head += ["times as many a second", "CPU, of Flask's"]
    rows = []
    for call in options.calls:
        ours, theirs = runs[PRODUCT, call], runs[PEER, call]
        row = [call]
        for seen in (ours, theirs):
            row.append(spread([run.answers.per_second for run in seen]))
            row.append(f"{median([run.answers.at(0.99) for run in seen]):.1f}")
            row.append(f"{median([run.cpu_ms for run in seen]):.2f}")
        speed, cpu = compared(ours, theirs)
        rows.append([*row, spread(speed), spread(cpu, 2)])
    return tables.markdown(head, rows)


def verdicts(runs: Runs, options: argparse.Namespace) -> str:
    """Say which calls are slower than the Flask app's, or take more of a processor."""
    targets = []
    for call in options.calls:
        speed, cpu = compared(runs[PRODUCT, call], runs[PEER, call])
        text = f"{spread(speed)} × as many a second, for {spread(cpu, 2)} × the CPU"
        is_met = median(speed) >= 1 >= median(cpu)
        targets.append(Target(f"{call}: no slower than the Flask app", text, is_met))
    return tables.verdicts(targets)


def hashes(ours: str, theirs: str) -> str:
    """Return what one check of a password costs each, without anything around it."""
    lines = []
    for name, check in (
        (f"bcrypt, {ours[4:6]} rounds", lambda: passwords.verify(PASSWORD, ours)),
        ("werkzeug, " + theirs.partition("$")[0], lambda: check_password_hash(theirs, PASSWORD)),
    ):
        began = time.process_time()
        for _ in range(5):
            check()
        lines.append(f"{name}: {200 * (time.process_time() - began):.1f} ms of CPU")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1_000, help="at least 500")
    parser.add_argument("--people", type=int, default=1_000, help="who write")
    parser.add_argument("--followed", type=int, default=500, help="whom the reader follows")
    parser.add_argument("--connections", type=int, default=4, help="that read")
    parser.add_argument("--writers", type=int, default=8, help="that write")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="a round of one call")
    parser.add_argument("--most", type=int, default=100_000, help="requests in a round of a call")
    parser.add_argument("--calls", nargs="+", choices=CALLS, default=CALLS)
    parser.add_argument("--profile", action="store_true", help="where Microblog's time goes")
    chosen = parser.parse_args()
    if chosen.posts < 500 or chosen.rounds < 1 or not LOG_INS <= chosen.writers <= 64:
        parser.error("out of bounds")
    if max(chosen.followed, chosen.writers, 11) > chosen.people:
        parser.error("--people is too small")
    return chosen


def profile(asker: Asker, site: Site, options: argparse.Namespace) -> None:
    """Print where Microblog's time goes, for each call."""
    for call in options.calls:
        measure(asker, site, call, options.seconds, WARM_REQUESTS)
        print(f"\n### {call}", flush=True)
        with profiling.sampled(site.group, True):
            run = measure(asker, site, call, options.seconds, options.most)
        print(f"\nmeanwhile {run.answers.per_second:.1f} a second, CPU {run.cpu_ms:.2f} ms")


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every block is left
    past = archive(
        options.posts, writers=options.people, followed=options.followed, follows_each=10
    )
    ours = passwords.hash_password(PASSWORD)
    with contextlib.ExitStack() as stack:
        asker = stack.enter_context(Asker())
        product = stack.enter_context(microblog(past, ours, options))
        if options.profile:
            profile(asker, product, options)
            return
        entered = [product, stack.enter_context(flask(past, options))]
        runs = rounds(asker, entered, options)
        for site in entered:
            for line in report.troubles(site.server.output())[:10]:
                print(f"{site.name}: {line}")
    theirs = generate_password_hash(PASSWORD)
    print("\n".join(["", table(runs, options), "", hashes(ours, theirs), ""]))
    print(verdicts(runs, options))


if __name__ == "__main__":
    main()
