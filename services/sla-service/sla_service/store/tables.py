"""The tables of sla-service."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus = bus_tables(metadata)
idempotency_table(metadata)


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


#: Versions of policies and calendars; never changed, only added to (F9).
policies = Table(
    "policies",
    metadata,
    Column("policy_id", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    _instant("valid_from"),
    Column("calendar_version", Integer, nullable=False),
    #: What becomes of clocks that run at `valid_from`, and whether the policy ends with this version.
    Column("change", String(10), nullable=False, server_default=text("'keep'")),
    Column("ended", Boolean, nullable=False, server_default=text("false")),
    Column("spec", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", JSONB, nullable=False),
    _instant("created_at"),
    PrimaryKeyConstraint("policy_id", "version"),
)
calendars = Table(
    "calendars",
    metadata,
    Column("calendar_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("spec", JSONB, nullable=False),
    _instant("created_at"),
    #: Empty for what a pack brought: it holds with the policies that name it.
    _instant("valid_from", nullable=True),
    Column("reprice", Boolean, nullable=False, server_default=text("false")),
    Column("reason", Text, nullable=True),
    Column("created_by", JSONB(none_as_null=True), nullable=True),
    PrimaryKeyConstraint("calendar_id", "version"),
)
#: One row: grows with every change of policies or calendars, so that every process knows when to read them anew.
book = Table(
    "book",
    metadata,
    Column("one_row", Boolean, primary_key=True),
    Column("revision", Integer, nullable=False),
)

#: Versions of policies and calendars that are for running clocks too: from when on (`at`), whether that has come
#: (`begun`), and up to which history the clocks were priced anew.
turns = Table(
    "turns",
    metadata,
    Column("kind", String(10), nullable=False),
    Column("name", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    _instant("at"),
    Column("metrics", ARRAY(Text), nullable=True),
    Column("begun", Boolean, nullable=False),
    Column("reached", Uuid, nullable=True),
    _instant("done_at", nullable=True),
    PrimaryKeyConstraint("kind", "name", "version"),
    Index("turns_to_come", "at", postgresql_where=text("done_at is null")),
)

#: One row per complaint or improvement action: what outgoing events say of it, and the lock of all its clocks.
histories = Table(
    "histories",
    metadata,
    Column("history_id", Uuid, primary_key=True),
    Column("complaint", JSONB(none_as_null=True), nullable=True),
    Column("person_id", Uuid, nullable=True, index=True),
    #: Clocks that cannot be priced, and why.
    Column("unpriced", JSONB(none_as_null=True), nullable=True),
    Index("histories_unpriced", "history_id", postgresql_where=text("unpriced is not null")),
)
facts = Table(
    "facts",
    metadata,
    Column("fact_id", Uuid, primary_key=True),
    Column("history_id", Uuid, nullable=False, index=True),
    Column("kind", String(30), nullable=False),
    _instant("occurred_at"),
    _instant("recorded_at"),
    Column("urgency", String(10), nullable=True),
    Column("urgency_revision", Integer, nullable=False),
    Column("subject_id", Uuid, nullable=True),
    Column("cycle", Integer, nullable=True),
    Column("revision", Integer, nullable=False),
    Column("from_state", String(30), nullable=True),
    Column("to_state", String(30), nullable=True),
    _instant("other_at", nullable=True),
    Column("team_id", String(100), nullable=True),
    Column("team_name", JSONB, nullable=True),
    Column("person", JSONB, nullable=True),
    #: What the fact tells of the complaint itself, for policies to choose by.
    Column("about", JSONB(none_as_null=True), nullable=True),
)

#: What was last told of each clock, and when its timer is to look at it. Revision 0: nothing told, nothing shown.
clocks = Table(
    "clocks",
    metadata,
    Column("clock_id", Uuid, primary_key=True),
    Column("history_id", Uuid, nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("subject", String(30), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("metric", String(30), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("policy", String(60), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("calendar", String(40), nullable=True),
    Column("status", String(20), nullable=False),
    _instant("started_at"),
    _instant("due_at"),
    _instant("warn_at", nullable=True),
    _instant("warned_at", nullable=True),
    _instant("breached_at", nullable=True),
    _instant("fulfilled_at", nullable=True),
    Column("on_time", Boolean, nullable=True),
    Column("owner_team", String(100), nullable=True),
    Column("title", JSONB, nullable=False),
    Column("holder", JSONB, nullable=True),
    Column("void", Boolean, nullable=False),
    #: When the steps of the escalation chain are due, and how many are raised.
    Column("steps", ARRAY(DateTime(timezone=True)), nullable=False),
    Column("escalated", SmallInteger, nullable=False),
    #: The instant up to which the timers have looked.
    _instant("horizon", nullable=True),
    _instant("wake_at", nullable=True),
    #: Why its policy was chosen, by what was known of the complaint then.
    Column("why", JSONB(none_as_null=True), nullable=True),
    #: When a pause that lasts has used up the longest time; pauses that were not legitimate.
    _instant("resumes_at", nullable=True),
    Column("findings", JSONB(none_as_null=True), nullable=True),
    Index("clocks_with_findings", "clock_id", postgresql_where=text("findings is not null")),
    Index("clocks_to_wake", "wake_at", "clock_id", postgresql_where=text("wake_at is not null")),
    Index("clocks_by_due", "due_at", "clock_id"),
)
escalations = Table(
    "escalations",
    metadata,
    Column("escalation_id", Uuid, primary_key=True),
    Column("history_id", Uuid, nullable=False, index=True),
    Column("clock_id", Uuid, nullable=False, index=True),
    Column("step", SmallInteger, nullable=False),
    Column("role", String(30), nullable=False),
    Column("team_id", String(100), nullable=True),
    Column("recipient", JSONB, nullable=True),
    _instant("raised_at"),
    _instant("detected_at"),
    #: A fact that came late showed that the deadline was kept.
    Column("withdrawn", Boolean, nullable=False),
    #: Who took it on, and when.
    _instant("acknowledged_at", nullable=True),
    Column("acknowledged_by", JSONB(none_as_null=True), nullable=True),
)
#: This service's copy of the roster: who stands where in the chain (F10).
teams = Table(
    "teams",
    metadata,
    Column("team_id", String(100), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("roster", JSONB, nullable=False),
)
#: Persons whose traces were erased; what is heard of them afterwards is kept without their name.
erased_people = Table("erased_people", metadata, Column("person_id", Uuid, primary_key=True))
#: The nights on which some process has begun to verify every clock, so that of several replicas one does.
verifications = Table("verifications", metadata, Column("night", Date, primary_key=True))
#: Drafts of policies and calendars that are counted beside those that hold, and change nothing.
shadows = Table(
    "shadows",
    metadata,
    Column("shadow_id", String(60), primary_key=True),
    Column("draft", JSONB, nullable=False),
    _instant("since"),
    _instant("until"),
    Column("reason", Text, nullable=False),
    Column("created_by", JSONB, nullable=False),
    _instant("created_at"),
    _instant("counted_at", nullable=True),
    Column("statistics", JSONB(none_as_null=True), nullable=True),
    #: Why it could not be counted last time.
    Column("problem", Text, nullable=True),
)
