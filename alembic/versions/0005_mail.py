"""Mail: proved addresses, links that are mailed, and the devices somebody logs in from.

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("user", sa.Column("email_confirmed_at", Time, nullable=True))

    op.create_table(
        "mailed_link",
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=False),
        sa.CheckConstraint("purpose IN ('reset', 'confirm')", name=op.f("ck_mailed_link_purpose")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_mailed_link_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_mailed_link")),
    )
    op.create_index(op.f("ix_mailed_link_expires_at"), "mailed_link", ["expires_at"])
    op.create_index(op.f("ix_mailed_link_user_id"), "mailed_link", ["user_id"])

    op.create_table(
        "known_device",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seen_at", Time, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_known_device_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "mark", name=op.f("pk_known_device")),
    )
    op.create_index(op.f("ix_known_device_seen_at"), "known_device", ["seen_at"])


def downgrade() -> None:
    op.drop_table("known_device")
    op.drop_table("mailed_link")
    op.drop_column("user", "email_confirmed_at")
