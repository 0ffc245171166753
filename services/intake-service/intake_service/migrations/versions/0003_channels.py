"""channels as data, and the cursors of those that are fetched"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the channel as this revision states it; the highest revision holds",
        ),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", "revision"),
    )
    op.create_table(
        "channel_states",
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column(
            "step", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="how often the cursor was moved"
        ),
        sa.Column("cursor", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "exist",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="that the provider has told of",
        ),
        sa.Column(
            "taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="arrivals with a receipt"
        ),
        sa.Column("waiting", sa.BigInteger(), nullable=True, comment="that exist behind the cursor"),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seeded", sa.Text(), nullable=True, comment="hash of what the file of channels said of it last"),
        sa.PrimaryKeyConstraint("channel_id"),
    )
    op.add_column(
        "receipts",
        sa.Column(
            "channel_id", sa.Text(), nullable=True, comment="of the channel that it came by; none at the generic door"
        ),
    )
    op.add_column(
        "receipts",
        sa.Column(
            "envelope",
            sa.LargeBinary(),
            nullable=True,
            comment="the message as its channel read it, while it is in quarantine",
        ),
    )


def downgrade() -> None:
    op.drop_column("receipts", "envelope")
    op.drop_column("receipts", "channel_id")
    op.drop_table("channel_states")
    op.drop_table("channels")
