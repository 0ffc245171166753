"""The tables of notify-service."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
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
idempotency_keys = idempotency_table(metadata)

_INSTANT = DateTime(timezone=True)

messages = Table(
    "messages",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("person_id", Uuid, comment="the complainant that it is about, whoever it goes to"),
    Column("staff", JSONB(none_as_null=True), comment="whom the event named"),
    Column("team_id", Text),
    Column("team_role", Text, nullable=False),
    Column("complaint_id", Uuid),
    Column("facts", JSONB(none_as_null=True)),
    Column("reference_id", Uuid),
    Column("cycle", Integer),
    Column("channel", Text, comment="that the sender of a reply chose"),
    Column("params", JSONB, nullable=False, comment="what the templates may use"),
    Column("occurred_at", _INSTANT, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("due_at", _INSTANT, nullable=False, comment="the next attempt"),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("round", Integer, nullable=False, server_default=text("1"), comment="grows when a person tries it again"),
    Column("means", Text),
    Column("language", Text),
    Column("recipient", Text, nullable=False, server_default="", comment="masked"),
    Column("recipient_key", Text, nullable=False, server_default="", comment="person, colleague or team of a notice"),
    Column("subject", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("delivered_at", _INSTANT),
    Column("receipt", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default="", comment="why the last attempt failed"),
    Column("redacted", Boolean, nullable=False, server_default=text("false")),
    Column("lease", Uuid, comment="of the worker's batch that holds it"),
    Column("lease_until", _INSTANT, comment="by the database's clock"),
    Index("ix_messages_due", "due_at", "message_id", postgresql_where=text("status in ('queued', 'waiting')")),
    Index("ix_messages_listed", "created_at", "message_id"),
    Index("ix_messages_complaint_id", "complaint_id", "created_at", "message_id"),
    Index("ix_messages_person_id", "person_id"),
    Index(
        "ix_messages_notices", "recipient_key", "delivered_at", "message_id",
        postgresql_where=text("means = 'in_system' and status = 'delivered'"),
    ),
)  # fmt: skip

recipients = Table(
    "recipients",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("emails", ARRAY(Text), nullable=False),
    Column("wecom_id", Text),
    Column("preferred_channel", Text),
    Column("language", Text, nullable=False),
)

reply_sessions = Table(
    "reply_sessions",
    metadata,
    Column("complaint_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("webhook", Text),
    Column("expires_at", _INSTANT, nullable=False, comment="until then the channel takes an answer there"),
    Index("ix_reply_sessions_person_id", "person_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("person_id", Uuid, primary_key=True, comment="contacts that come late must not bring them back"),
)

preferences = Table(
    "preferences",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("channel", Text),
    Column("language", Text),
    Column("version", Integer, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Column("changed_by", Text, nullable=False),
)

teams = Table(
    "teams",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("people", JSONB, nullable=False, comment="contact, lead, manager, executive"),
)

templates = Table(
    "templates",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("short", Text),
    Column("html", Text),
    Column("version", Integer, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Column("changed_by", Text, nullable=False),
)
