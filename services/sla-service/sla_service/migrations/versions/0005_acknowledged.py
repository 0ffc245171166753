"""escalations: who took a step on, and when"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("escalations", sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("escalations", sa.Column("acknowledged_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("escalations", "acknowledged_by")
    op.drop_column("escalations", "acknowledged_at")
