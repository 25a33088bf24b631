"""Why somebody is not there, the names that people had, and what administrators did.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("user", sa.Column("left_because", sa.String(length=16), nullable=True))
    op.add_column("user", sa.Column("renamed_at", Time, nullable=True))

    op.create_table(
        "former_name",
        sa.Column("username_key", sa.String(length=30), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("given_up_at", Time, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_former_name_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username_key", name=op.f("pk_former_name")),
    )
    op.create_index(op.f("ix_former_name_user_id"), "former_name", ["user_id"])

    op.create_table(
        "deed",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", Id, nullable=True),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.CheckConstraint("kind IN ('suspend', 'restore')", name=op.f("ck_deed_kind")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_deed_actor_id_user")),
        sa.ForeignKeyConstraint(["subject_id"], ["user.id"], name=op.f("fk_deed_subject_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deed")),
    )
    op.create_index(op.f("ix_deed_actor_id"), "deed", ["actor_id"])
    op.create_index(op.f("ix_deed_subject_id"), "deed", ["subject_id"])


def downgrade() -> None:
    op.drop_table("deed")
    op.drop_table("former_name")
    op.drop_column("user", "renamed_at")
    op.drop_column("user", "left_because")
