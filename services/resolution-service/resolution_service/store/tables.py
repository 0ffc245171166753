"""Tables of handling. Every row is a function of the set of events and commands, not of the order of their arrival."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
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

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, JSONB, nullable=nullable)


def _word(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True),
    _word("number"),
    _instant("received_at"),
    _word("channel"),
    _word("urgency"),
    Column("urgency_rank", SmallInteger, nullable=False),
    Column("urgency_revision", Integer, nullable=False),
    Column("person_id", Uuid, nullable=False),
    _json("facts"),
    _word("search"),
    Column("erased", Boolean, nullable=False),
    # State
    Column("state", Text, nullable=False, server_default="received"),
    Column("cycle", Integer, nullable=False, server_default="1"),
    _instant("since"),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("plain", Boolean, nullable=False, comment="nothing but milestones has borne on the state"),
    _instant("acknowledged_at", nullable=True),
    _instant("assessed_at", nullable=True),
    # Assessment, of the highest revision
    Column("classification_revision", Integer, nullable=False, server_default="0"),
    _word("kind", nullable=True),
    _word("issue_type", nullable=True),
    _word("responsible", nullable=True),
    _word("emotion", nullable=True),
    # Assignment, of the highest revision
    Column("assignment_revision", Integer, nullable=False, server_default="0"),
    _word("team_id", nullable=True),
    _json("team_name", nullable=True),
    _word("agent_id", nullable=True),
    _json("agent", nullable=True),
    # The earliest of the running clocks
    _instant("next_due_at", nullable=True),
    _instant("next_warn_at", nullable=True),
    Index(None, "person_id", "received_at"),
    Index(None, "number"),
    Index(None, "received_at", "id"),
    Index(None, "next_due_at", "id"),
    Index(None, "team_id", "state"),
    Index(None, "agent_id", "state"),
)

entries = Table(
    "entries",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, nullable=False),
    _word("type"),
    _instant("occurred_at"),
    _instant("recorded_at"),
    _word("actor_kind"),
    _word("actor_id"),
    _word("actor_name"),
    _json("data"),
    _json("personal"),
    Column("cycle", Integer),
    Column("other_id", Uuid),
    _word("fact", nullable=True),
    _word("to_state", nullable=True),
    Column("serial", Integer),
    Index(None, "complaint_id"),
    Index(None, "other_id", postgresql_where=text("other_id is not null")),
)

transfers = Table(
    "transfers",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, nullable=False),
    _word("team_id"),
    _json("team_name"),
    _json("contact", nullable=True),
    _word("ask"),
    _word("status"),
    _instant("opened_at"),
    _json("opened_by"),
    _word("answer", nullable=True),
    _instant("ended_at", nullable=True),
    _json("ended_by", nullable=True),
    Index(None, "complaint_id"),
    Index(None, "team_id", "status", "opened_at"),
    Index(None, "opened_at", "task_id"),
)

promises = Table(
    "promises",
    metadata,
    Column("promise_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, nullable=False),
    _word("text"),
    _instant("due_at"),
    _word("status"),
    _instant("made_at"),
    _json("made_by"),
    _instant("ended_at", nullable=True),
    _word("reason", nullable=True),
    Index(None, "complaint_id"),
)

measures = Table(
    "measures",
    metadata,
    Column("measure_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("cycle", Integer, nullable=False),
    _word("kind"),
    _word("status"),
    _word("text"),
    Column("amount_minor", BigInteger),
    _word("currency", nullable=True),
    _instant("proposed_at"),
    _json("proposed_by"),
    _instant("decided_at", nullable=True),
    _json("decided_by", nullable=True),
    _word("decision_reason", nullable=True),
    _instant("done_at", nullable=True),
    Index(None, "complaint_id"),
)

clocks = Table(
    "clocks",
    metadata,
    Column("clock_id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    _word("status"),
    _instant("due_at"),
    _instant("warn_at", nullable=True),
    _json("view"),
    Index(None, "complaint_id"),
)

teams = Table(
    "teams",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    _json("name"),
    _word("kind"),
    _json("contact", nullable=True),
)

actions = Table(
    "actions",
    metadata,
    Column("action_id", Uuid, primary_key=True),
    Column("revision", Integer, nullable=False, comment="0: only its end is known yet"),
    _json("plan", nullable=True),
    Column("complaint_ids", ARRAY(Uuid), nullable=False),
    _instant("done_at", nullable=True),
    Index(None, "complaint_ids", postgresql_using="gin"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("subject_id", Uuid, primary_key=True, comment="a person, or a complaint of theirs"),
)
