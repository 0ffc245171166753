"""Insight's tables.

`archive` holds facts for ever, `archive_personal` what erasure deletes. `complaints` is one row per complaint, each
column decided by the newest event that speaks of it, so that the order of arrival does not matter.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus = bus_tables(metadata)
idempotency = idempotency_table(metadata)

Instant = DateTime(timezone=True)

archive = Table(
    "archive",
    metadata,
    Column("event_id", PgUUID, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("type", String(100), nullable=False),
    Column("source", String(40), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("complaint_id", PgUUID),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("archived_at", Instant, nullable=False),
    Column("facts", JSONB, nullable=False),
    Index("archive_by_complaint", "complaint_id", "occurred_at", "seq"),
    Index("archive_by_subject", "subject"),
)

archive_personal = Table(
    "archive_personal",
    metadata,
    Column("event_id", PgUUID, primary_key=True),
    Column("person_id", PgUUID, index=True),
    Column("salt", String(64), nullable=False),
    Column("parts", JSONB, nullable=False),
)

complaints = Table(
    "complaints",
    metadata,
    Column("complaint_id", PgUUID, primary_key=True),
    Column("number", String(30), nullable=False, index=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("received_at", Instant, nullable=False, index=True),
    Column("channel", String(30), nullable=False),
    Column("organisation", String(300)),
    Column("product", String(300)),
    Column("region", String(300)),
    Column("urgency", String(10), nullable=False),
    Column("urgency_revision", Integer, nullable=False),
    Column("kind", String(20)),
    Column("issue_type", String(100)),
    Column("responsible", String(100)),
    Column("emotion", String(20)),
    Column("classification_revision", Integer, nullable=False, server_default="0"),
    Column("team_id", String(100)),
    Column("agent_id", String(100)),
    Column("assignment_revision", Integer, nullable=False, server_default="0"),
    Column("state", String(30)),
    Column("cycle", Integer, nullable=False, server_default="1"),
    Column("move_revision", Integer, nullable=False, server_default="0"),
    Column("first_response_at", Instant),
    Column("first_resolved_at", Instant),
    Column("last_resolved_at", Instant),
    Column("resolved_cycle", Integer, nullable=False, server_default="0"),
    Column("measure_kinds", ARRAY(String(30))),
    Column("satisfaction", SmallInteger),
    Column("satisfied", Boolean),
    Column("satisfaction_cycle", Integer, nullable=False, server_default="0"),
)

#: What the similarity search compares. Derived from personal text, so erasure deletes it.
complaint_terms = Table(
    "complaint_terms",
    metadata,
    Column("complaint_id", PgUUID, primary_key=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("terms", ARRAY(Text), nullable=False),
    Column("summary", Text, nullable=False),
    Index("complaint_terms_terms", "terms", postgresql_using="gin"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("review_id", PgUUID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("title", String(300), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("five_w_one_h", JSONB, nullable=False),
    Column("five_whys", JSONB, nullable=False),
    Column("fishbone", JSONB, nullable=False),
    Column("root_cause", Text, nullable=False),
    Column("complaint_ids", ARRAY(PgUUID), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", JSONB, nullable=False),
    Index("reviews_by_complaint", "complaint_ids", postgresql_using="gin"),
    Index("reviews_by_time", "created_at", "review_id"),
)

actions = Table(
    "actions",
    metadata,
    Column("action_id", PgUUID, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("review_id", PgUUID, index=True),
    Column("title", String(300), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("owner", JSONB, nullable=False),
    Column("aim", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("complaint_ids", ARRAY(PgUUID), nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("planned_by", JSONB, nullable=False),
    Column("done_at", Instant),
    Column("done_by", JSONB),
    Column("done_note", Text),
    Index("actions_by_due", "due_at", "action_id"),
)

erased = Table("erased_persons", metadata, Column("person_id", PgUUID, primary_key=True))
