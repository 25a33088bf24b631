"""What a post answers or asks, when it was edited, and which picture a person has.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)
KINDS = "'follow', 'mention', 'reply', 'answer', 'accepted', 'message', 'job'"
KINDS_BEFORE = "'follow', 'mention'"
COLUMNS = (
    *("title", "question", "accepted_id", "edited_at"),
    *("reply_to_id", "reply_to_user_id", "reply_count"),
)


def upgrade() -> None:
    op.add_column("user", sa.Column("avatar", sa.String(length=16), nullable=True))
    op.add_column("post", sa.Column("title", sa.Text(), nullable=True))
    op.add_column("post", sa.Column("question", sa.String(length=8), nullable=True))
    op.add_column("post", sa.Column("accepted_id", Id, nullable=True))
    op.add_column("post", sa.Column("edited_at", Time, nullable=True))
    op.add_column("post", sa.Column("reply_to_id", Id, nullable=True))
    op.add_column("post", sa.Column("reply_to_user_id", Id, nullable=True))
    op.add_column("post", sa.Column("reply_count", Id, nullable=False, server_default="0"))
    for column, name in (
        ("reply_to_id", "ix_post_reply_to_id_id"),
        ("question", "ix_post_question_id"),
    ):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "post", [column, "id"], sqlite_where=there, postgresql_where=there)
    _know(KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM notification WHERE kind NOT IN ('follow', 'mention')")
    _know(KINDS_BEFORE)
    op.drop_index("ix_post_question_id", table_name="post")
    op.drop_index("ix_post_reply_to_id_id", table_name="post")
    for column in reversed(COLUMNS):
        op.drop_column("post", column)
    op.drop_column("user", "avatar")


def _know(kinds: str) -> None:
    """Let a notification be of these kinds. Nothing refers to the table, so it may be made anew."""
    with op.batch_alter_table(
        "notification", table_kwargs={"sqlite_autoincrement": True}
    ) as notification:
        notification.drop_constraint(op.f("ck_notification_kind"), type_="check")
        notification.create_check_constraint(op.f("ck_notification_kind"), f"kind IN ({kinds})")
