"""policies: for running clocks too, chosen anew by what is learned, and their end"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("facts", sa.Column("about", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("policies", sa.Column("change", sa.String(10), server_default=sa.text("'keep'"), nullable=False))
    op.add_column("policies", sa.Column("ended", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "turns",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metrics", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name", "version"),
    )
    op.create_index("turns_to_come", "turns", ["at"], unique=False, postgresql_where=sa.text("done_at is null"))


def downgrade() -> None:
    op.drop_table("turns")
    op.drop_column("policies", "ended")
    op.drop_column("policies", "change")
    op.drop_column("facts", "about")
