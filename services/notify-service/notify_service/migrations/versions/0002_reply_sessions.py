"""conversations in which an answer can be given"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reply_sessions",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=True),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="until then the channel takes an answer there",
        ),
        sa.PrimaryKeyConstraint("complaint_id"),
    )
    op.create_index("ix_reply_sessions_person_id", "reply_sessions", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_reply_sessions_person_id", table_name="reply_sessions")
    op.drop_table("reply_sessions")
