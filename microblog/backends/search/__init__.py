"""A server that finds posts and people where the database does not.

It keeps tokens and gives back ids; `queries.search` decides who may see what. The jobs feed it
(`jobs.search`), so that nobody who writes waits for it.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from microblog.core.search_plan import Document, Plan, Source, Subject
from microblog.settings import Settings


class SearchServer(Protocol):
    """An index on a server. All of these raise Unavailable while it is out of reach."""

    name: str

    async def is_made(self) -> bool:
        """Whether there are indexes to put something into."""

    async def put(
        self, subject: Subject, ids: Collection[int], documents: Sequence[Document]
    ) -> None:
        """Keep these documents of the posts or people `ids`, and nothing else of them."""

    async def begin_anew(self, subject: Subject) -> str:
        """Make a new, empty index, which nobody searches yet; return its name."""

    async def fill(self, name: str, documents: Sequence[Document]) -> None:
        """Put documents into a new index."""

    async def swap(self, subject: Subject, name: str) -> None:
        """Let searches go to the new index from now on, all at once, and delete the others."""

    def source(self, subject: Subject, plan: Plan) -> Source:
        """Return what finds ids, whoever may see them."""

    async def close(self) -> None:
        """Close all connections."""


def open_search(settings: Settings) -> SearchServer | None:
    """Make what speaks to the configured server; None where the database is searched."""
    if settings.elasticsearch_url is None:
        return None
    from microblog.backends.search.elastic import Elastic

    return Elastic(settings.elasticsearch_url, settings.elasticsearch_index)
