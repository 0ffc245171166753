"""calls of the hotline"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False, comment="the telephone system's; the record's message id"),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, comment="of its latest event"),
        sa.Column("rang_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="caller, seat, recording_url, each with the instant of its event",
        ),
        sa.Column("complaint_id", sa.Uuid(), nullable=True, comment="its record, once that was noticed"),
        sa.Column("dismissed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel_id", "call_id", name="uq_calls_call"),
    )
    op.create_index("ix_calls_record", "calls", ["account", "call_id"], unique=False)
    op.create_index("ix_calls_heard", "calls", [sa.literal_column("heard_at desc"), sa.literal_column("id desc")])
    op.create_index(
        "ix_calls_open",
        "calls",
        ["channel_id"],
        unique=False,
        postgresql_where=sa.text("complaint_id is null and dismissed_at is null"),
    )


def downgrade() -> None:
    op.drop_table("calls")
