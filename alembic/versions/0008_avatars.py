"""The pictures that people gave of themselves.

Revision: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "avatar",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size IN (96, 400)", name="ck_avatar_size"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_avatar_user_id_user", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "size", name="pk_avatar"),
    )


def downgrade() -> None:
    op.drop_table("avatar")
    op.execute(sa.table("user", sa.column("avatar")).update().values(avatar=None))
