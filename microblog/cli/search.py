"""`microblog search`: the index by which posts and people are found."""

import asyncio
import time

import click

from microblog.actions import search_index
from microblog.backends.search import open_search
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainGroup, given_settings
from microblog.core.errors import Unavailable
from microblog.jobs import search as jobs
from microblog.settings import Settings


@click.group(cls=PlainGroup)
def search() -> None:
    """Make the search index anew, while people write and search."""


@search.command()
def reindex() -> None:
    """Make the search index anew; servers may run, and everything is found meanwhile.

    Needed only where the index was lost or altered by others: it feeds itself.
    """
    began = time.monotonic()
    try:
        asyncio.run(_reindex(given_settings()))
    except Unavailable as away:
        raise click.ClickException(
            "The search server or the database is out of reach. Nothing was changed: try again."
        ) from away
    click.echo(f"Made anew in {time.monotonic() - began:.1f} s.")


async def _reindex(settings: Settings) -> None:
    server = open_search(settings)
    try:
        async with opened(settings) as database:
            with click.progressbar(length=100, label="Indexing") as bar:

                async def tell(percent: int) -> None:
                    bar.update(percent - bar.pos)

                await jobs.fill(database, server, tell)
                bar.update(100 - bar.pos)
            async with database.write() as tx:
                search_index.feed_soon(tx)
    finally:
        if server is not None:
            await server.close()
