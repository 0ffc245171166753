"""policies: why one was chosen, and what is wrong with pauses"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clocks", sa.Column("why", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("clocks", sa.Column("resumes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("clocks", sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_index(
        "clocks_with_findings",
        "clocks",
        ["clock_id"],
        unique=False,
        postgresql_where=sa.text("findings is not null"),
    )


def downgrade() -> None:
    op.drop_index("clocks_with_findings", table_name="clocks", postgresql_where=sa.text("findings is not null"))
    op.drop_column("clocks", "findings")
    op.drop_column("clocks", "resumes_at")
    op.drop_column("clocks", "why")
