"""Templates, recipients, preferences, messages, and the bus's tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="the broker's offset, or the outbox row's id"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "state", sa.Text(), server_default=sa.text("'dead'"), nullable=False, comment="dead, replaying, replayed"
        ),
        sa.Column("died_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dead_letters_died_at", "dead_letters", ["died_at"], unique=False)
    op.create_index(
        "ix_dead_letters_replaying",
        "dead_letters",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'replaying'"),
    )
    op.create_table(
        "erasures",
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="contacts that come late must not bring them back"),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="SHA-256 of method, path and body"),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("ix_inbox_seen_at", "inbox", ["seen_at"], unique=False, postgresql_using="brin")
    op.create_table(
        "inbox_attempts",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("times", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "inbox_started",
        sa.Column("lane", sa.Text(), nullable=False, comment="topic/partition, or the publisher on the local bus"),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False, comment="one life of one process"),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "1000",
            "autovacuum_vacuum_cost_delay": "0",
            "autovacuum_analyze_scale_factor": "0",
            "autovacuum_analyze_threshold": "10000",
        },
    )
    op.create_table(
        "messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column(
            "person_id", sa.Uuid(), nullable=True, comment="the complainant that it is about, whoever it goes to"
        ),
        sa.Column(
            "staff",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="whom the event named",
        ),
        sa.Column("team_id", sa.Text(), nullable=True),
        sa.Column("team_role", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("reference_id", sa.Uuid(), nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True, comment="that the sender of a reply chose"),
        sa.Column(
            "params", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what the templates may use"
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, comment="the next attempt"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "round",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="grows when a person tries it again",
        ),
        sa.Column("means", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), server_default="", nullable=False, comment="masked"),
        sa.Column(
            "recipient_key",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="person, colleague or team of a notice",
        ),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why the last attempt failed"),
        sa.Column("redacted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True, comment="of the worker's batch that holds it"),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True, comment="by the database's clock"),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("ix_messages_complaint_id", "messages", ["complaint_id", "created_at", "message_id"], unique=False)
    op.create_index(
        "ix_messages_due",
        "messages",
        ["due_at", "message_id"],
        unique=False,
        postgresql_where=sa.text("status in ('queued', 'waiting')"),
    )
    op.create_index("ix_messages_listed", "messages", ["created_at", "message_id"], unique=False)
    op.create_index(
        "ix_messages_notices",
        "messages",
        ["recipient_key", "delivered_at", "message_id"],
        unique=False,
        postgresql_where=sa.text("means = 'in_system' and status = 'delivered'"),
    )
    op.create_index("ix_messages_person_id", "messages", ["person_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="headers beside the CloudEvents ones (dead letters)",
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=True, comment="the event's JSON; null is a tombstone"),
        sa.Column(
            "delivered",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="local bus only",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "1000",
            "autovacuum_vacuum_cost_delay": "0",
            "autovacuum_analyze_scale_factor": "0",
            "autovacuum_analyze_threshold": "10000",
        },
    )
    op.create_table(
        "preferences",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "recipients",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("emails", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("wecom_id", sa.Text(), nullable=True),
        sa.Column("preferred_channel", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "teams",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column(
            "people",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="contact, lead, manager, executive",
        ),
        sa.PrimaryKeyConstraint("team_id"),
    )
    op.create_table(
        "templates",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("short", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "language"),
    )


def downgrade() -> None:
    op.drop_table("templates")
    op.drop_table("teams")
    op.drop_table("recipients")
    op.drop_table("preferences")
    op.drop_table("outbox")
    op.drop_index("ix_messages_person_id", table_name="messages")
    op.drop_index(
        "ix_messages_notices",
        table_name="messages",
        postgresql_where=sa.text("means = 'in_system' and status = 'delivered'"),
    )
    op.drop_index("ix_messages_listed", table_name="messages")
    op.drop_index("ix_messages_due", table_name="messages", postgresql_where=sa.text("status in ('queued', 'waiting')"))
    op.drop_index("ix_messages_complaint_id", table_name="messages")
    op.drop_table("messages")
    op.drop_table("inbox_started")
    op.drop_table("inbox_attempts")
    op.drop_index("ix_inbox_seen_at", table_name="inbox", postgresql_using="brin")
    op.drop_table("inbox")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("erasures")
    op.drop_index(
        "ix_dead_letters_replaying", table_name="dead_letters", postgresql_where=sa.text("state = 'replaying'")
    )
    op.drop_index("ix_dead_letters_died_at", table_name="dead_letters")
    op.drop_table("dead_letters")
