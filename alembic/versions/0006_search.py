"""What posts and people are found by.

The tables start empty: whoever is already there is put in by the next job that feeds the index.

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = ("search_post", "search_user")

TABLES = {
    # Tokens come ready, in letters that the plain tokeniser leaves alone; none is ranked, so no
    # sizes are kept.
    "sqlite": (
        """
        CREATE VIRTUAL TABLE {name} USING fts5(
            tokens, columnsize=0, tokenize = "ascii tokenchars '_'"
        )
        """,
    ),
    "postgresql": (
        "CREATE TABLE {name} (id BIGINT PRIMARY KEY, tokens TSVECTOR NOT NULL)",
        "CREATE INDEX ix_{name}_tokens ON {name} USING gin (tokens)",
    ),
    # Letters are compared as they are: a collation would take "é" for "e".
    "mysql": (
        """
        CREATE TABLE {name} (
            id BIGINT PRIMARY KEY,
            tokens MEDIUMTEXT NOT NULL,
            FULLTEXT INDEX ix_{name}_tokens (tokens)
        ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
    ),
}


def upgrade() -> None:
    op.create_table(
        "search_position",
        sa.Column("store", sa.String(16), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("store", name="pk_search_position"),
    )
    for name in INDEXES:
        for statement in TABLES[op.get_context().dialect.name]:
            op.execute(statement.format(name=name))


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_table(name)
    op.drop_table("search_position")
