"""A post has a language; what was translated is kept for a while.

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("post", sa.Column("language", sa.String(length=16), nullable=True))
    op.create_table(
        "translation",
        sa.Column("text_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("detected", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("text_digest", "source", "target", name=op.f("pk_translation")),
    )
    op.create_index(op.f("ix_translation_created_at"), "translation", ["created_at"])


def downgrade() -> None:
    op.drop_table("translation")
    op.drop_column("post", "language")
