"""initial"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("action_id", sa.UUID(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.UUID(), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("owner", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("aim", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complaint_ids", sa.ARRAY(sa.UUID()), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("done_note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("action_id"),
    )
    op.create_index("actions_by_due", "actions", ["due_at", "action_id"], unique=False)
    op.create_index(op.f("ix_actions_review_id"), "actions", ["review_id"], unique=False)
    op.create_table(
        "archive",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("complaint_id", sa.UUID(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("seq"),
    )
    op.create_index("archive_by_complaint", "archive", ["complaint_id", "occurred_at", "seq"], unique=False)
    op.create_index("archive_by_subject", "archive", ["subject"], unique=False)
    op.create_table(
        "archive_personal",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=True),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_archive_personal_person_id"), "archive_personal", ["person_id"], unique=False)
    op.create_table(
        "complaint_terms",
        sa.Column("complaint_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("terms", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id"),
    )
    op.create_index("complaint_terms_terms", "complaint_terms", ["terms"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_complaint_terms_person_id"), "complaint_terms", ["person_id"], unique=False)
    op.create_table(
        "complaints",
        sa.Column("complaint_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("organisation", sa.String(length=300), nullable=True),
        sa.Column("product", sa.String(length=300), nullable=True),
        sa.Column("region", sa.String(length=300), nullable=True),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("urgency_revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("issue_type", sa.String(length=100), nullable=True),
        sa.Column("responsible", sa.String(length=100), nullable=True),
        sa.Column("emotion", sa.String(length=20), nullable=True),
        sa.Column("classification_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("team_id", sa.String(length=100), nullable=True),
        sa.Column("agent_id", sa.String(length=100), nullable=True),
        sa.Column("assignment_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=30), nullable=True),
        sa.Column("cycle", sa.Integer(), server_default="1", nullable=False),
        sa.Column("move_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_response_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_cycle", sa.Integer(), server_default="0", nullable=False),
        sa.Column("measure_kinds", sa.ARRAY(sa.String(length=30)), nullable=True),
        sa.Column("satisfaction", sa.SmallInteger(), nullable=True),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("satisfaction_cycle", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("complaint_id"),
    )
    op.create_index(op.f("ix_complaints_number"), "complaints", ["number"], unique=False)
    op.create_index(op.f("ix_complaints_person_id"), "complaints", ["person_id"], unique=False)
    op.create_index(op.f("ix_complaints_received_at"), "complaints", ["received_at"], unique=False)
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
        "erased_persons", sa.Column("person_id", sa.UUID(), nullable=False), sa.PrimaryKeyConstraint("person_id")
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
        "reviews",
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("five_w_one_h", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("five_whys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fishbone", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("root_cause", sa.Text(), nullable=False),
        sa.Column("complaint_ids", sa.ARRAY(sa.UUID()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("review_id"),
    )
    op.create_index("reviews_by_complaint", "reviews", ["complaint_ids"], unique=False, postgresql_using="gin")
    op.create_index("reviews_by_time", "reviews", ["created_at", "review_id"], unique=False)


def downgrade() -> None:
    op.drop_index("reviews_by_time", table_name="reviews")
    op.drop_index("reviews_by_complaint", table_name="reviews", postgresql_using="gin")
    op.drop_table("reviews")
    op.drop_table("outbox")
    op.drop_table("inbox_started")
    op.drop_table("inbox_attempts")
    op.drop_index("ix_inbox_seen_at", table_name="inbox", postgresql_using="brin")
    op.drop_table("inbox")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("erased_persons")
    op.drop_index(
        "ix_dead_letters_replaying", table_name="dead_letters", postgresql_where=sa.text("state = 'replaying'")
    )
    op.drop_index("ix_dead_letters_died_at", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(op.f("ix_complaints_received_at"), table_name="complaints")
    op.drop_index(op.f("ix_complaints_person_id"), table_name="complaints")
    op.drop_index(op.f("ix_complaints_number"), table_name="complaints")
    op.drop_table("complaints")
    op.drop_index(op.f("ix_complaint_terms_person_id"), table_name="complaint_terms")
    op.drop_index("complaint_terms_terms", table_name="complaint_terms", postgresql_using="gin")
    op.drop_table("complaint_terms")
    op.drop_index(op.f("ix_archive_personal_person_id"), table_name="archive_personal")
    op.drop_table("archive_personal")
    op.drop_index("archive_by_subject", table_name="archive")
    op.drop_index("archive_by_complaint", table_name="archive")
    op.drop_table("archive")
    op.drop_index(op.f("ix_actions_review_id"), table_name="actions")
    op.drop_index("actions_by_due", table_name="actions")
    op.drop_table("actions")
