"""chats: their state, the order of what was said, and who is there"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chats",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column(
            "visitor",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="who the site says it is; empty after erasure",
        ),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False, comment="silent, waiting, joined, ended"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="when it came into its state"),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="in charge"),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column(
            "offered_to",
            sa.Text(),
            nullable=True,
            comment="the agent to whom it was handed over, until somebody joins",
        ),
        sa.Column("complaint_id", sa.Uuid(), nullable=True),
        sa.Column("last_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_chats_complaint_id", "chats", ["complaint_id"])
    op.create_index("ix_chats_state", "chats", ["state", "since", "id"])
    op.create_table(
        "chat_entries",
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="message, joined, handed_over, ended"),
        sa.Column("author", sa.Text(), nullable=False, comment="visitor, or agent: and who it is"),
        sa.Column("name", sa.Text(), nullable=False, comment="the agent's"),
        sa.Column("message_id", sa.Text(), nullable=True, comment="the client's own"),
        sa.Column(
            "delivery", sa.Text(), nullable=True, comment="the message id in the channel, by which the text is found"
        ),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="of a hand-over"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"]),
        sa.PrimaryKeyConstraint("chat_id", "seq"),
        sa.UniqueConstraint("chat_id", "author", "message_id", name="uq_chat_entries_message"),
    )
    op.create_table(
        "chat_presences",
        sa.Column("socket_id", sa.Uuid(), nullable=False),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="believed so long, where nobody tells its end",
        ),
        sa.Column("typing_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("socket_id"),
    )
    op.create_index("ix_chat_presences_chat_id", "chat_presences", ["chat_id"])


def downgrade() -> None:
    op.drop_table("chat_presences")
    op.drop_table("chat_entries")
    op.drop_table("chats")
