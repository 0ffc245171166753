"""receipts of messages that channel adapters hand in"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KINDS = "1 account, 2 phone, 3 wecom, 4 mail address"


def upgrade() -> None:
    op.alter_column(
        "identities", "kind", existing_type=sa.SmallInteger(), comment=f"{KINDS}, 5 handle", existing_comment=KINDS
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=True, comment="that it made or was added to"),
        sa.Column("suggested_id", sa.Uuid(), nullable=True, comment="that it may belong to"),
        sa.Column(
            "doubts", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what could not be understood"
        ),
        sa.Column("owner", sa.Text(), nullable=True, comment="in charge while it is in quarantine"),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(),
            nullable=True,
            comment="SHA-256 of what the message says; none after erasure",
        ),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="the request as it came; none after erasure"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"]),
        sa.ForeignKeyConstraint(["suggested_id"], ["complaints.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "account", "message_id", name="uq_receipts_delivery"),
    )
    op.create_index("ix_receipts_complaint", "receipts", ["complaint_id"], unique=False)
    op.create_index(
        "ix_receipts_quarantine",
        "receipts",
        ["recorded_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'quarantined'"),
    )
    op.create_index(
        "ix_receipts_thread",
        "receipts",
        ["channel", "account", "thread_id"],
        unique=False,
        postgresql_where=sa.text("thread_id is not null"),
    )


def downgrade() -> None:
    op.drop_table("receipts")
    op.alter_column(
        "identities", "kind", existing_type=sa.SmallInteger(), comment=KINDS, existing_comment=f"{KINDS}, 5 handle"
    )
