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
        "cases",
        sa.Column("complaint_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("move_revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id"),
    )
    op.create_index(op.f("ix_cases_person_id"), "cases", ["person_id"], unique=False)
    op.create_table(
        "closings",
        sa.Column("complaint_id", sa.UUID(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("other_wishes", sa.Text(), nullable=False),
        sa.Column("satisfied", sa.Boolean(), nullable=False),
        sa.Column("closed_with_reason", sa.Text(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", "cycle"),
    )
    op.create_index(op.f("ix_closings_person_id"), "closings", ["person_id"], unique=False)
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
        "survey_deliveries",
        sa.Column("survey_id", sa.UUID(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("survey_id"),
    )
    op.create_table(
        "surveys",
        sa.Column("survey_id", sa.UUID(), nullable=False),
        sa.Column("complaint_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("satisfaction", sa.SmallInteger(), nullable=True),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("survey_id"),
    )
    op.create_index(op.f("ix_surveys_complaint_id"), "surveys", ["complaint_id"], unique=False)
    op.create_index(op.f("ix_surveys_person_id"), "surveys", ["person_id"], unique=False)
    op.create_index("surveys_by_answer", "surveys", ["answered_at"], unique=False)
    op.create_table(
        "visits",
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("complaint_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("means", sa.String(length=20), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("earliest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assignee", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("assignee_id", sa.String(length=100), nullable=True),
        sa.Column("assignment_revision", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("visit_id"),
    )
    op.create_index(op.f("ix_visits_complaint_id"), "visits", ["complaint_id"], unique=False)
    op.create_index(op.f("ix_visits_person_id"), "visits", ["person_id"], unique=False)
    op.create_index(
        "visits_open_by_due",
        "visits",
        ["due_at", "visit_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("visits_open_by_due", table_name="visits", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_index(op.f("ix_visits_person_id"), table_name="visits")
    op.drop_index(op.f("ix_visits_complaint_id"), table_name="visits")
    op.drop_table("visits")
    op.drop_index("surveys_by_answer", table_name="surveys")
    op.drop_index(op.f("ix_surveys_person_id"), table_name="surveys")
    op.drop_index(op.f("ix_surveys_complaint_id"), table_name="surveys")
    op.drop_table("surveys")
    op.drop_table("survey_deliveries")
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
    op.drop_index(op.f("ix_closings_person_id"), table_name="closings")
    op.drop_table("closings")
    op.drop_index(op.f("ix_cases_person_id"), table_name="cases")
    op.drop_table("cases")
