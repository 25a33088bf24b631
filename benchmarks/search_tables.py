"""The tables of `docs/search.md`: what every store of search finds in the corpus of the contract.

    uv run python benchmarks/search_tables.py

Starts a PostgreSQL, a MariaDB and an Elasticsearch of its own, as the tests do. Takes a minute.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from microblog.backends.search import open_search
from microblog.cli.db import upgrade_to_head
from microblog.database import open_database
from microblog.settings import Settings
from tests.contract import tables
from tests.contract.stores import stock
from tests.elastic import Elasticsearch
from tests.mariadb import MariaDb
from tests.services import Postgres


@contextmanager
def stores(folder: Path) -> Iterator[list[Settings]]:
    """Start the servers; return the settings of a microblog on each, in the order of `STORES`."""
    sqlite = Settings(data_dir=folder / "sqlite", bcrypt_rounds=4)
    with Postgres() as postgres, MariaDb() as mariadb, Elasticsearch() as elastic:
        yield [
            sqlite,
            replace(sqlite, database_url=postgres.create_database()),
            replace(sqlite, database_url=mariadb.create_database()),
            replace(sqlite, data_dir=folder / "elastic", elasticsearch_url=elastic.url),
        ]


async def count_right(settings: Settings) -> dict[str, int]:
    """Return how many queries of each group are answered as they must be."""
    database, server = open_database(settings), open_search(settings)
    stocked = await stock(database, server)
    right = {
        name: sum([tuple(await stocked.find(q)) == numbers for q, numbers in cases])
        for name, cases in tables.GROUPS.items()
    }
    await database.close()
    if server is not None:
        await server.close()
    return right


def main() -> None:
    right: dict[str, list[int]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, stores(Path(folder)) as all_of_them:
        for settings in all_of_them:
            upgrade_to_head(settings)
            for name, count in asyncio.run(count_right(settings)).items():
                right[name].append(count)
    print(tables.contract(right), "\n")
    print(tables.korean())


if __name__ == "__main__":
    main()
