"""Private messages, what each side has of them, and who takes them of whom.

Revision: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)
COUNTS = ("last_id", "unread_count", "read_to", "seen_to", "cleared_to")
UNREAD = sa.text("unread_count > 0")

# As the other indexes of search: see 0006.
INDEX = {
    "sqlite": (
        """
        CREATE VIRTUAL TABLE search_message USING fts5(
            tokens, columnsize=0, tokenize = "ascii tokenchars '_'"
        )
        """,
    ),
    "postgresql": (
        "CREATE TABLE search_message (id BIGINT PRIMARY KEY, tokens TSVECTOR NOT NULL)",
        "CREATE INDEX ix_search_message_tokens ON search_message USING gin (tokens)",
    ),
    "mysql": (
        """
        CREATE TABLE search_message (
            id BIGINT PRIMARY KEY,
            tokens MEDIUMTEXT NOT NULL,
            FULLTEXT INDEX ix_search_message_tokens (tokens)
        ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
    ),
}


def upgrade() -> None:
    _choose()
    op.create_table(
        "message",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("low_id", Id, nullable=False),
        sa.Column("high_id", Id, nullable=False),
        sa.Column("sender_id", Id, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("gone_for_sender", sa.Boolean(), nullable=False),
        sa.Column("gone_for_recipient", sa.Boolean(), nullable=False),
        sa.CheckConstraint("low_id < high_id", name=op.f("ck_message_two_people")),
        *(_of_a_person("message", column) for column in ("low_id", "high_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_low_id_high_id_id", "message", ["low_id", "high_id", "id"])
    op.create_index("ix_message_high_id", "message", ["high_id"])
    op.create_table(
        "conversation_side",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("other_id", Id, nullable=False),
        *(sa.Column(name, Id, nullable=False) for name in COUNTS),
        *(_of_a_person("conversation_side", column) for column in ("user_id", "other_id")),
        sa.PrimaryKeyConstraint("user_id", "other_id", name=op.f("pk_conversation_side")),
    )
    op.create_index(
        "ix_conversation_side_user_id_last_id", "conversation_side", ["user_id", "last_id"]
    )
    op.create_index(
        "ix_conversation_side_unread",
        "conversation_side",
        ["user_id", "unread_count"],
        sqlite_where=UNREAD,
        postgresql_where=UNREAD,
    )
    op.create_index("ix_conversation_side_other_id", "conversation_side", ["other_id"])
    for statement in INDEX[op.get_context().dialect.name]:
        op.execute(statement)


def _choose() -> None:
    """Let everybody who is there take messages of all, and tell what they have read."""
    op.add_column(
        "user",
        sa.Column("messages_from", sa.String(length=8), nullable=False, server_default="all"),
    )
    for name in ("read_marks", "typing_shown"):
        yes = sa.Column(name, sa.Boolean(), nullable=False, server_default="1")
        op.add_column("user", yes)


def _of_a_person(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_user")
    return sa.ForeignKeyConstraint([column], ["user.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for name in ("search_message", "conversation_side", "message"):
        op.drop_table(name)
    for name in ("typing_shown", "read_marks", "messages_from"):
        op.drop_column("user", name)
