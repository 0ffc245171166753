"""The tables. No text of a complaint is kept: reasons name rules, and a person's display goes with an erasure."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus = bus_tables(metadata)
idempotency = idempotency_table(metadata)

taxonomy_entries = Table(
    "taxonomy_entries",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("responsible", Text, comment="the party an issue type usually falls to"),
    Column("keywords", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
)

teams = Table(
    "teams",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("takes_kinds", ARRAY(Text), nullable=False),
    Column("takes_urgencies", ARRAY(Text), nullable=False),
    Column("contact", JSONB(none_as_null=True)),
    Column("lead", JSONB(none_as_null=True)),
    Column("manager", JSONB(none_as_null=True)),
    Column("executive", JSONB(none_as_null=True)),
)

agents = Table(
    "agents",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("contact", JSONB, nullable=False),
    Column("teams", ARRAY(Text), nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    Column("on_duty", Boolean, nullable=False),
    Column("load", Integer, nullable=False, comment="open cases; changed with them, in the same transaction"),
)

cases = Table(
    "cases",
    metadata,
    Column("complaint_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("revision", Integer, nullable=False, comment="of the classification; 0 until the receipt is heard of"),
    Column("kind", Text),
    Column("issue_type", Text),
    Column("rank", SmallInteger, nullable=False, comment="urgency: 0 high, 1 medium, 2 low"),
    Column("assignment_revision", Integer, nullable=False),
    Column("team_id", Text),
    Column("agent_id", Text),
    Column("ended", Boolean, nullable=False),
    Column("move_revision", Integer, nullable=False, comment="of the case's move that `ended` is from"),
    Index("ix_cases_person_id", "person_id", "received_at"),
    Index(
        "ix_cases_queue_team",
        "team_id",
        "rank",
        "received_at",
        "complaint_id",
        postgresql_where=text("not ended and team_id is not null"),
    ),
    Index(
        "ix_cases_queue_agent",
        "agent_id",
        "rank",
        "received_at",
        "complaint_id",
        postgresql_where=text("not ended and agent_id is not null"),
    ),
    Index(
        "ix_cases_queue",
        "rank",
        "received_at",
        "complaint_id",
        postgresql_where=text("not ended and team_id is not null"),
    ),
)

classifications = Table(
    "classifications",
    metadata,
    Column("complaint_id", Uuid, ForeignKey("cases.complaint_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("issue_type", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("responsible", Text, nullable=False),
    Column("emotion", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("by", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("override_reason", Text),
)

assignments = Table(
    "assignments",
    metadata,
    Column("complaint_id", Uuid, ForeignKey("cases.complaint_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("agent_id", Text),
    Column("reasons", JSONB, nullable=False),
    Column("by", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("override_reason", Text),
)

erased = Table(
    "erased",
    metadata,
    Column("subject_id", Uuid, primary_key=True, comment="a person or complaint whose receipt may still arrive"),
)
