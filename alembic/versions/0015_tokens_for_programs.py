"""Tokens that people make for their programs, with a name and scopes.

Revision: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("token_family", sa.Column("name", sa.String(length=960), nullable=True))
    op.add_column("token_family", sa.Column("scopes", sa.String(length=60), nullable=True))
    op.add_column(
        "token_family", sa.Column("token_digest", sa.LargeBinary(length=32), nullable=True)
    )
    op.add_column(
        "token_family", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        op.f("ix_token_family_token_digest"), "token_family", ["token_digest"], unique=True
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_token_family_token_digest"), "token_family")
    for name in ("expires_at", "token_digest", "scopes", "name"):
        op.drop_column("token_family", name)
