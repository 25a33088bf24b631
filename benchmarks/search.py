"""Search: filling the index with an archive, and queries beside `LIKE`, in the same process.

    uv run python benchmarks/search.py [--posts 100000] [--rounds 5]

What counts is the processor's time, for all of it happens in this process. Each round asks every
query once each way, in turn: as the page does, by relevance and by time, and as `LIKE` over all
posts would, newest first, under the same visibility. The database is an SQLite file. Last, what it
costs to publish a post with and without leaving a job for the index. Takes some minutes.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from sqlalchemy import bindparam, select

from benchmarks.archive import archive
from benchmarks.filling import fill
from benchmarks.tables import markdown, percentile, ratios, spread
from microblog.actions import posts as actions
from microblog.actions import search_index
from microblog.actions.posts import Draft
from microblog.cli.db import upgrade_to_head
from microblog.core import search_query
from microblog.database import Database, open_database
from microblog.jobs import search as jobs
from microblog.queries import posts, search, users
from microblog.queries.rows import post_table
from microblog.queries.search import Asked
from microblog.queries.visibility import VISIBLE
from microblog.settings import Settings

PAGE = 25
QUERIES = {  # common ones, and such as hardly any post answers
    "서울": "%서울%",
    "비": "%비%",
    "bridge": "%bridge%",
    '"we meet at"': "%we meet at%",
    "54321": "%54321%",
    "777 자전거": "%자전거%(777)%",
    "@person77 우산을": "%우산을%@person77 %",
    "없는말": "%없는말%",
}
_LIKE = (
    select(post_table.c.id)
    .where(post_table.c.body.ilike(bindparam("pattern")), VISIBLE)
    .order_by(post_table.c.id.desc())
    .limit(PAGE)
)
PUBLISHED = 200


async def like(database: Database, pattern: str) -> None:
    """Find the newest posts as an application without an index does."""
    async with database.read() as read:
        given = {"pattern": pattern, "viewer": None}
        ids = [row[0] for row in await read.execute_aside(_LIKE.params(given))]
        await posts.readable(read, ids, None)


async def find(database: Database, q: str, *, by_time: bool) -> None:
    """Find a page as ours does."""
    async with database.read() as read:
        await search.posts(read, search_query.parse(q), Asked(None, PAGE), by_time=by_time)


async def timed(work: Awaitable[None]) -> float:
    """Return the milliseconds of processor that something takes, in all threads."""
    began = time.process_time()
    await work
    return 1e3 * (time.process_time() - began)


async def measure(database: Database, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Ask everything each way, round by round; return the milliseconds by query and way."""
    took: dict[str, dict[str, list[float]]] = {q: defaultdict(list) for q in QUERIES}
    for _ in range(rounds):
        for q, pattern in QUERIES.items():
            took[q]["relevance"].append(await timed(find(database, q, by_time=False)))
            took[q]["time"].append(await timed(find(database, q, by_time=True)))
            took[q]["like"].append(await timed(like(database, pattern)))
    return took


def told(took: dict[str, dict[str, list[float]]]) -> str:
    """Return the table of all queries, and of their 99th percentiles."""
    rows = [
        [f"`{q}`", *(spread(ways[way]) for way in ("relevance", "time", "like"))]
        + [spread(ratios(ways[way], ways["like"]), 3) for way in ("relevance", "time")]
        for q, ways in took.items()
    ]
    all_of = {
        way: sorted(ms for ways in took.values() for ms in ways[way])
        for way in ("relevance", "time", "like")
    }
    p99 = {way: percentile(ms, 0.99) for way, ms in all_of.items()}
    rows.append(
        ["p99 of all", *(f"{p99[way]:.1f}" for way in ("relevance", "time", "like"))]
        + [f"{p99[way] / p99['like']:.3f}" for way in ("relevance", "time")]
    )
    head = ["query", "by relevance, ms", "by time, ms", "`LIKE`, ms", "relevance / `LIKE`"]
    return markdown([*head, "time / `LIKE`"], rows)


async def publishing(database: Database, rounds: int) -> str:
    """Return what publishing costs with a job for the index and without, round by round."""
    took: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(rounds):
        took["without"].append(await _published(database, leaves_job=False))
        took["with"].append(await _published(database, leaves_job=True))
    shown = {name: spread(values, 3) for name, values in took.items()}
    ratio = spread(ratios(took["with"], took["without"]), 2)
    return (
        f"\nA post, in ms: {shown['with']} with the job for the index, "
        f"{shown['without']} without: {ratio} ×."
    )


async def _published(database: Database, *, leaves_job: bool) -> float:
    async with database.read() as read:
        author = await users.by_username(read, "person3")
    with nullcontext() if leaves_job else mock.patch.object(search_index, "feed_soon"):
        began = time.process_time()
        for number in range(PUBLISHED):
            async with database.write() as tx:
                draft = Draft(f"새 글 {number}, a new post")
                await actions.publish(tx, author, draft, datetime.now(UTC))
    return 1e3 * (time.process_time() - began) / PUBLISHED


async def run(settings: Settings, rounds: int) -> None:
    """Fill the index, then ask."""
    database = open_database(settings)
    began, began_cpu = time.perf_counter(), time.process_time()
    await jobs.fill(database, None, _tell_nobody)
    cpu = time.process_time() - began_cpu
    print(f"Indexed in {time.perf_counter() - began:.0f} s, {cpu:.1f} s of processor.\n")
    await _each_once(database)
    print(told(await measure(database, rounds)))
    print(await publishing(database, rounds))
    await database.close()


async def _tell_nobody(_percent: int) -> None:
    return


async def _each_once(database: Database) -> None:
    """Ask everything before it counts: statements are compiled, pages are in memory."""
    ways: list[Callable[[str], Awaitable[None]]] = [
        lambda q: find(database, q, by_time=False),
        lambda q: find(database, q, by_time=True),
        lambda q: like(database, QUERIES[q]),
    ]
    for q in QUERIES:
        for way in ways:
            await way(q)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        upgrade_to_head(settings)
        plan = archive(arguments.posts, writers=200, followed=50, follows_each=20)
        fill(Path(folder) / "microblog.db", plan)
        print(f"{arguments.posts} posts on SQLite.")
        asyncio.run(run(settings, arguments.rounds))


if __name__ == "__main__":
    main()
