"""the nights on which every clock was verified"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("verifications", sa.Column("night", sa.Date(), nullable=False), sa.PrimaryKeyConstraint("night"))


def downgrade() -> None:
    op.drop_table("verifications")
