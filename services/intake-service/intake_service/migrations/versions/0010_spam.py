"""how much a complaint looks like spam"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column(
        "complaints",
        sa.Column("spam", json, nullable=True, comment="score and reasons; none where nothing spoke for spam"),
    )
    op.add_column(
        "complaints",
        sa.Column(
            "spam_listed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="suspected and not taken out",
        ),
    )
    op.add_column(
        "complaints",
        sa.Column("spam_cleared", json, nullable=True, comment="who took it out of the list, and when"),
    )
    op.create_index(
        "ix_complaints_spam",
        "complaints",
        [sa.text("received_at desc"), sa.text("id desc")],
        unique=False,
        postgresql_where=sa.text("spam_listed"),
    )


def downgrade() -> None:
    op.drop_index("ix_complaints_spam", table_name="complaints")
    op.drop_column("complaints", "spam_cleared")
    op.drop_column("complaints", "spam_listed")
    op.drop_column("complaints", "spam")
