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
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="0: only its end is known yet"),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("complaint_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("action_id", name=op.f("pk_actions")),
    )
    op.create_index(
        op.f("ix_actions_complaint_ids"), "actions", ["complaint_ids"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("urgency_rank", sa.SmallInteger(), nullable=False),
        sa.Column("urgency_revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("cycle", sa.Integer(), server_default="1", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False, comment="nothing but milestones has borne on the state"),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("classification_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("issue_type", sa.Text(), nullable=True),
        sa.Column("responsible", sa.Text(), nullable=True),
        sa.Column("emotion", sa.Text(), nullable=True),
        sa.Column("assignment_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("team_id", sa.Text(), nullable=True),
        sa.Column("team_name", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_warn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_agent_id_state"), "cases", ["agent_id", "state"], unique=False)
    op.create_index(op.f("ix_cases_next_due_at_id"), "cases", ["next_due_at", "id"], unique=False)
    op.create_index(op.f("ix_cases_number"), "cases", ["number"], unique=False)
    op.create_index(op.f("ix_cases_person_id_received_at"), "cases", ["person_id", "received_at"], unique=False)
    op.create_index(op.f("ix_cases_received_at_id"), "cases", ["received_at", "id"], unique=False)
    op.create_index(op.f("ix_cases_team_id_state"), "cases", ["team_id", "state"], unique=False)
    op.create_table(
        "clocks",
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("view", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", name=op.f("pk_clocks")),
    )
    op.create_index(op.f("ix_clocks_complaint_id"), "clocks", ["complaint_id"], unique=False)
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
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
        "entries",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("personal", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=True),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("fact", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_complaint_id"), "entries", ["complaint_id"], unique=False)
    op.create_index(
        op.f("ix_entries_other_id"),
        "entries",
        ["other_id"],
        unique=False,
        postgresql_where=sa.text("other_id is not null"),
    )
    op.create_table(
        "erasures",
        sa.Column("subject_id", sa.Uuid(), nullable=False, comment="a person, or a complaint of theirs"),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_erasures")),
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
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
    )
    op.create_index("ix_inbox_seen_at", "inbox", ["seen_at"], unique=False, postgresql_using="brin")
    op.create_table(
        "inbox_attempts",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("times", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox_attempts")),
    )
    op.create_table(
        "inbox_started",
        sa.Column("lane", sa.Text(), nullable=False, comment="topic/partition, or the publisher on the local bus"),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False, comment="one life of one process"),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_inbox_started")),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "1000",
            "autovacuum_vacuum_cost_delay": "0",
            "autovacuum_analyze_scale_factor": "0",
            "autovacuum_analyze_threshold": "10000",
        },
    )
    op.create_table(
        "measures",
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("measure_id", name=op.f("pk_measures")),
    )
    op.create_index(op.f("ix_measures_complaint_id"), "measures", ["complaint_id"], unique=False)
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "1000",
            "autovacuum_vacuum_cost_delay": "0",
            "autovacuum_analyze_scale_factor": "0",
            "autovacuum_analyze_threshold": "10000",
        },
    )
    op.create_table(
        "promises",
        sa.Column("promise_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("promise_id", name=op.f("pk_promises")),
    )
    op.create_index(op.f("ix_promises_complaint_id"), "promises", ["complaint_id"], unique=False)
    op.create_table(
        "teams",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contact", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_teams")),
    )
    op.create_table(
        "transfers",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("team_name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contact", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ask", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_transfers")),
    )
    op.create_index(op.f("ix_transfers_complaint_id"), "transfers", ["complaint_id"], unique=False)
    op.create_index(op.f("ix_transfers_opened_at_task_id"), "transfers", ["opened_at", "task_id"], unique=False)
    op.create_index(
        op.f("ix_transfers_team_id_status_opened_at"), "transfers", ["team_id", "status", "opened_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_transfers_team_id_status_opened_at"), table_name="transfers")
    op.drop_index(op.f("ix_transfers_opened_at_task_id"), table_name="transfers")
    op.drop_index(op.f("ix_transfers_complaint_id"), table_name="transfers")
    op.drop_table("transfers")
    op.drop_table("teams")
    op.drop_index(op.f("ix_promises_complaint_id"), table_name="promises")
    op.drop_table("promises")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_measures_complaint_id"), table_name="measures")
    op.drop_table("measures")
    op.drop_table("inbox_started")
    op.drop_table("inbox_attempts")
    op.drop_index("ix_inbox_seen_at", table_name="inbox", postgresql_using="brin")
    op.drop_table("inbox")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("erasures")
    op.drop_index(op.f("ix_entries_other_id"), table_name="entries", postgresql_where=sa.text("other_id is not null"))
    op.drop_index(op.f("ix_entries_complaint_id"), table_name="entries")
    op.drop_table("entries")
    op.drop_index(
        "ix_dead_letters_replaying", table_name="dead_letters", postgresql_where=sa.text("state = 'replaying'")
    )
    op.drop_index("ix_dead_letters_died_at", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(op.f("ix_clocks_complaint_id"), table_name="clocks")
    op.drop_table("clocks")
    op.drop_index(op.f("ix_cases_team_id_state"), table_name="cases")
    op.drop_index(op.f("ix_cases_received_at_id"), table_name="cases")
    op.drop_index(op.f("ix_cases_person_id_received_at"), table_name="cases")
    op.drop_index(op.f("ix_cases_number"), table_name="cases")
    op.drop_index(op.f("ix_cases_next_due_at_id"), table_name="cases")
    op.drop_index(op.f("ix_cases_agent_id_state"), table_name="cases")
    op.drop_table("cases")
    op.drop_index(op.f("ix_actions_complaint_ids"), table_name="actions", postgresql_using="gin")
    op.drop_table("actions")
