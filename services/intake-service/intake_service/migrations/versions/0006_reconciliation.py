"""what was received is counted by account; messages in quarantine are due, and looks at them are recorded"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_counts",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False, comment="so that processes don't wait for each other"),
        sa.Column("written", sa.BigInteger(), nullable=False, comment="receipts that were made"),
        sa.Column("repeated", sa.BigInteger(), nullable=False, comment="deliveries that had a receipt already"),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "slot"),
    )
    op.execute(
        "insert into delivery_counts (channel, account, slot, written, repeated, last_at) "
        "select channel, account, 0, count(*), 0, max(recorded_at) from receipts group by channel, account"
    )
    op.add_column(
        "receipts",
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it must have been looked at, if it is in quarantine",
        ),
    )
    op.execute("update receipts set due_at = recorded_at + interval '24 hours' where status = 'quarantined'")
    op.create_table(
        "quarantine_accesses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_quarantine_accesses_receipt", "quarantine_accesses", ["receipt_id", "accessed_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("quarantine_accesses")
    op.drop_column("receipts", "due_at")
    op.drop_table("delivery_counts")
