"""Notifications that are told together are a group; people choose which kinds they want.

Revision: 0011
Revises: 0010
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('follow', 'mention', 'reply', 'answer', 'accepted', 'message', 'job')"
UNREAD = sa.text("read_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "silenced_kind",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_silenced_kind_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_silenced_kind")),
    )
    op.create_table(
        "notification_group",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_notification_group_kind")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_notification_group_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_group")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notification_group_user_id_position", "notification_group", ["user_id", "position"]
    )
    op.create_index(
        "ix_notification_group_subject",
        "notification_group",
        ["user_id", "kind", "subject_id", "position"],
    )
    with _notification() as notification:
        notification.add_column(sa.Column("group_id", Id, nullable=True))
    _gather()
    with _notification() as notification:
        notification.alter_column("group_id", existing_type=Id, nullable=False)
        notification.create_foreign_key(
            op.f("fk_notification_group_id_notification_group"),
            "notification_group",
            ["group_id"],
            ["id"],
            ondelete="CASCADE",
        )
    op.create_index("ix_notification_group_id_id", "notification", ["group_id", "id"])
    op.create_index("ix_notification_actor_id_user_id", "notification", ["actor_id", "user_id"])
    op.create_index("ix_notification_post_id", "notification", ["post_id"])
    op.create_index(
        "ix_notification_user_id_read_at",
        "notification",
        ["user_id", "read_at"],
        sqlite_where=UNREAD,
        postgresql_where=UNREAD,
    )
    op.drop_index("ix_notification_unread", table_name="notification")
    op.drop_index("ix_notification_user_id_id", table_name="notification")


def _gather() -> None:
    """Let each notification be a group of its own, under its id: by that the log names it.

    What was cut off on MariaDB begins anew, and writes the same.
    """
    op.execute(
        "INSERT INTO notification_group (id, user_id, kind, subject_id, position)"
        " SELECT id, user_id, kind, CASE kind WHEN 'follow' THEN 0"
        " WHEN 'message' THEN actor_id ELSE coalesce(post_id, 0) END, id FROM notification"
        " WHERE id NOT IN (SELECT id FROM notification_group)"
    )
    op.execute("UPDATE notification SET group_id = id WHERE group_id IS NULL")
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('notification_group', 'id'), max(id))"
            " FROM notification_group HAVING max(id) IS NOT NULL"
        )


def downgrade() -> None:
    op.create_index("ix_notification_user_id_id", "notification", ["user_id", "id"])
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["user_id"],
        sqlite_where=UNREAD,
        postgresql_where=UNREAD,
    )
    op.drop_index("ix_notification_user_id_read_at", table_name="notification")
    _drop_index_of_key("ix_notification_actor_id_user_id", "actor_id", "user")
    _drop_index_of_key("ix_notification_post_id", "post_id", "post")
    with _notification() as notification:
        notification.drop_constraint(
            op.f("fk_notification_group_id_notification_group"), type_="foreignkey"
        )
    op.drop_index("ix_notification_group_id_id", table_name="notification")
    with _notification() as notification:
        notification.drop_column("group_id")
    op.drop_table("notification_group")
    op.drop_table("silenced_kind")


def _drop_index_of_key(index: str, column: str, other: str) -> None:
    """Drop an index; on MariaDB its foreign key needs one, and makes its own when it is new."""
    if op.get_context().dialect.name != "mysql":
        op.drop_index(index, table_name="notification")
        return
    key = op.f(f"fk_notification_{column}_{other}")
    op.drop_constraint(key, "notification", type_="foreignkey")
    op.drop_index(index, table_name="notification")
    op.create_foreign_key(key, "notification", other, [column], ["id"], ondelete="CASCADE")


def _notification() -> Any:
    """Change the table; nothing refers to it, so SQLite may make it anew."""
    return op.batch_alter_table("notification", table_kwargs={"sqlite_autoincrement": True})
