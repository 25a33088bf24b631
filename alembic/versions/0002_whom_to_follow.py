"""Whom to follow is read in the order of an index, not sorted out of everybody.

Revision: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_user_follower_count_id", "user", ["follower_count", "id"])


def downgrade() -> None:
    op.drop_index("ix_user_follower_count_id", table_name="user")
