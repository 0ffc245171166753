"""calendars: published by people, from when, and whether running clocks follow"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calendars", sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("calendars", sa.Column("reprice", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("calendars", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("calendars", sa.Column("created_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    for name in ("created_by", "reason", "reprice", "valid_from"):
        op.drop_column("calendars", name)
