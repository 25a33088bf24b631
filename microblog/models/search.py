"""What search is made of: which columns of a model are found, the index tables, how far they are.

The index tables differ from vendor to vendor and are no models: migration 0006 makes them,
`actions.search_index` fills them with tokens, `queries.search_index` asks them.
"""

from typing import ClassVar

from sqlalchemy import String, TableClause, column, table
from sqlalchemy.orm import Mapped, mapped_column

from microblog.models.base import Id, Model


class Searchable:
    """Mark a model whose rows are found by the texts of some of its columns."""

    __searchable__: ClassVar[tuple[str, ...]]

    def searchable_text(self) -> str:
        """Return what a row says, a column a line."""
        return "\n".join(getattr(self, name) or "" for name in self.__searchable__)


class SearchPosition(Model):
    """The event up to which a store ("sql" or "elastic") has what the log tells."""

    __tablename__ = "search_position"

    store: Mapped[str] = mapped_column(String(16), primary_key=True)
    event_id: Mapped[int] = mapped_column(Id, default=0)


POST_INDEX: TableClause = table("search_post", column("id"), column("tokens"))
"""The tokens of posts. On SQLite an FTS5 table, whose `rowid` is what `id` is elsewhere."""

USER_INDEX: TableClause = table("search_user", column("id"), column("tokens"))
"""The tokens of people, likewise."""

MESSAGE_INDEX: TableClause = table("search_message", column("id"), column("tokens"))
"""The tokens of private messages, likewise; filled by whoever sends (migration 0012)."""

INDEX_TABLES = (POST_INDEX.name, USER_INDEX.name, MESSAGE_INDEX.name)
