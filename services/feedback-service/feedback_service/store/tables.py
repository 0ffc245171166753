"""Feedback's tables.

What a row says depends on the set of events that were heard, never on their order: moves of the case keep the highest
revision, deliveries and answers stand in rows of their own.
"""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus = bus_tables(metadata)
idempotency = idempotency_table(metadata)

Instant = DateTime(timezone=True)

#: States after which nobody is visited any more.
OVER = ("closed", "merged", "withdrawn", "rejected")

cases = Table(
    "cases",
    metadata,
    Column("complaint_id", PgUUID, primary_key=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("move_revision", Integer, nullable=False),
    Column("state", String(30), nullable=False),
    Column("cycle", Integer, nullable=False),
)

surveys = Table(
    "surveys",
    metadata,
    Column("survey_id", PgUUID, primary_key=True),
    Column("complaint_id", PgUUID, nullable=False, index=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("offered_at", Instant, nullable=False),
    Column("resolved_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("answered_by", JSONB),
    Column("satisfaction", SmallInteger),
    Column("satisfied", Boolean),
    Column("answers", JSONB),
    Column("reasons", JSONB),
    Column("comment", Text),
    Index("surveys_by_answer", "answered_at"),
)

#: In a row of its own because the receipt of a survey's message may be heard before the resolution it belongs to.
survey_deliveries = Table(
    "survey_deliveries",
    metadata,
    Column("survey_id", PgUUID, primary_key=True),
    Column("delivered_at", Instant, nullable=False),
)

visits = Table(
    "visits",
    metadata,
    Column("visit_id", PgUUID, primary_key=True),
    Column("complaint_id", PgUUID, nullable=False, index=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("means", String(20), nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("earliest_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("assignee", JSONB),
    Column("assignee_id", String(100)),
    Column("assignment_revision", Integer, nullable=False),
    Column("done_at", Instant),
    Column("done_by", JSONB),
    Column("outcome", String(20)),
    Column("note", Text),
    Index("visits_open_by_due", "due_at", "visit_id", postgresql_where=Column("done_at").is_(None)),
)

closings = Table(
    "closings",
    metadata,
    Column("complaint_id", PgUUID, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("number", String(30), nullable=False),
    Column("summary", Text, nullable=False),
    Column("other_wishes", Text, nullable=False),
    Column("satisfied", Boolean, nullable=False),
    Column("closed_with_reason", Text),
    Column("written_at", Instant, nullable=False),
    Column("written_by", JSONB, nullable=False),
)

#: Persons whose copies are to stay blank, however late an event of theirs arrives.
erased = Table("erased_persons", metadata, Column("person_id", PgUUID, primary_key=True))
