"""The tables of this schema."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus = bus_tables(metadata)
idempotency_keys = idempotency_table(metadata)

persons = Table(
    "persons",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("contacts", JSONB, nullable=False, comment="phones (E.164), emails, wecom"),
    Column("organisation", Text),
    Column("account_id", Text),
    Column("preferred_channel", Text),
    Column("language", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("erased_at", DateTime(timezone=True)),
)

identities = Table(
    "identities",
    metadata,
    Column("kind", SmallInteger, primary_key=True, comment="1 account, 2 phone, 3 wecom, 4 mail address, 5 handle"),
    Column("value", Text, primary_key=True),
    Column("person_id", Uuid, ForeignKey("persons.id"), nullable=False, index=True),
)

complaints = Table(
    "complaints",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("person_id", Uuid, ForeignKey("persons.id"), nullable=False),
    Column("customer", JSONB, nullable=False, comment="how the complainant was known at receipt, masked"),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("seat", Text),
    Column("message_id", Text),
    Column("kind", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("happened_at", DateTime(timezone=True)),
    Column("made_at", DateTime(timezone=True)),
    Column("recorded_by", Text, nullable=False),
    Column("organisation", Text),
    Column("product", Text),
    Column("region", Text),
    Column("record", JSONB, nullable=False, comment="symptom, scene, impact, demands, attachments"),
    Column("missing", JSONB, nullable=False, comment="pointers of what the template wanted and the record lacked"),
    Column("earlier_complaints", Integer, nullable=False),
    Column("spam", JSONB(none_as_null=True), comment="score and reasons; none where nothing spoke for spam"),
    Column("spam_listed", Boolean, nullable=False, server_default=text("false"), comment="suspected and not taken out"),
    Column("spam_cleared", JSONB(none_as_null=True), comment="who took it out of the list, and when"),
    Column("erased_at", DateTime(timezone=True)),
    UniqueConstraint("channel", "account", "message_id", name="uq_complaints_delivery"),
    Index("ix_complaints_person", "person_id", text("received_at desc"), text("id desc")),
    Index("ix_complaints_received", text("received_at desc"), text("id desc")),
    Index("ix_complaints_spam", text("received_at desc"), text("id desc"), postgresql_where=text("spam_listed")),
)

number_days = Table(
    "number_days",
    metadata,
    Column("day", Text, primary_key=True, comment="YYYYMMDD in the house's time zone"),
    Column("last", Integer, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, ForeignKey("complaints.id"), nullable=False),
    Column("direction", Text, nullable=False, comment="inbound, outbound, automatic (a machine's, told to nobody)"),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("seat", Text),
    Column("message_id", Text),
    Column("text", Text, nullable=False),
    Column("attachments", JSONB, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("channel", "account", "message_id", name="uq_messages_delivery"),
    Index("ix_messages_thread", "complaint_id", "sent_at", "id"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("complaint_id", Uuid, ForeignKey("complaints.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False),
    Index("ix_notes_thread", "complaint_id", "written_at", "id"),
)

links = Table(
    "links",
    metadata,
    Column("complaint_id", Uuid, ForeignKey("complaints.id"), primary_key=True),
    Column("other_id", Uuid, ForeignKey("complaints.id"), primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    Index("ix_links_other", "other_id"),
    Index("uq_links_duplicate_of", "complaint_id", unique=True, postgresql_where=text("relation = 'duplicate_of'")),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("thread_id", Text),
    Column("status", Text, nullable=False),
    Column("complaint_id", Uuid, ForeignKey("complaints.id"), comment="that it made or was added to"),
    Column("suggested_id", Uuid, ForeignKey("complaints.id"), comment="that it may belong to"),
    Column("doubts", JSONB, nullable=False, comment="what could not be understood"),
    Column("owner", Text, comment="in charge while it is in quarantine"),
    Column("actor", JSONB, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("fingerprint", LargeBinary, comment="SHA-256 of what the message says; none after erasure"),
    Column("body", LargeBinary, comment="the request as it came; none after erasure, or where it is large"),
    Column("body_sha256", Text, comment="where the attachment store has a body that is large"),
    Column("channel_id", Text, comment="of the channel that it came by; none at the generic door"),
    Column("envelope", LargeBinary, comment="the message as its channel read it, while it is in quarantine"),
    Column("due_at", DateTime(timezone=True), comment="when it must have been looked at, if it is in quarantine"),
    Column("details", JSONB(none_as_null=True), comment="what its channel knows of it beside what it says"),
    Column("html", Text, comment="as its writer laid it out, not made harmless; none after erasure"),
    UniqueConstraint("channel", "account", "message_id", name="uq_receipts_delivery"),
    Index("ix_receipts_thread", "channel", "account", "thread_id", postgresql_where=text("thread_id is not null")),
    Index("ix_receipts_complaint", "complaint_id"),
    Index("ix_receipts_quarantine", "recorded_at", "id", postgresql_where=text("status = 'quarantined'")),
    Index("ix_receipts_noted", "recorded_at", "id", postgresql_where=text("status = 'noted'")),
)

delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("slot", SmallInteger, primary_key=True, comment="so that processes don't wait for each other"),
    Column("written", BigInteger, nullable=False, comment="receipts that were made"),
    Column("repeated", BigInteger, nullable=False, comment="deliveries that were received before"),
    Column("direct", BigInteger, nullable=False, server_default=text("0"), comment="complaints made without a receipt"),
    Column("last_at", DateTime(timezone=True), nullable=False),
)

quarantine_accesses = Table(
    "quarantine_accesses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("receipt_id", Uuid, ForeignKey("receipts.id"), nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("accessed_at", DateTime(timezone=True), nullable=False),
    Index("ix_quarantine_accesses_receipt", "receipt_id", "accessed_at"),
)

channels = Table(
    "channels",
    metadata,
    Column("channel_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("data", JSONB, nullable=False, comment="the channel as this revision states it; the highest revision holds"),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", JSONB, nullable=False),
)

channel_states = Table(
    "channel_states",
    metadata,
    Column("channel_id", Text, primary_key=True),
    Column("step", Integer, nullable=False, server_default=text("0"), comment="how often the cursor was moved"),
    Column("cursor", JSONB(none_as_null=True)),
    Column("exist", BigInteger, nullable=False, server_default=text("0"), comment="that the provider has told of"),
    Column("taken", BigInteger, nullable=False, server_default=text("0"), comment="arrivals with a receipt"),
    Column("waiting", BigInteger, comment="that exist behind the cursor"),
    Column("last_message_at", DateTime(timezone=True)),
    Column("last_contact_at", DateTime(timezone=True)),
    Column("last_error", Text),
    Column("last_error_at", DateTime(timezone=True)),
    Column("seeded", Text, comment="hash of what the file of channels said of it last"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("call_id", Text, nullable=False, comment="the telephone system's; the record's message id"),
    Column("heard_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="of its latest event"),
    Column("rang_at", DateTime(timezone=True)),
    Column("started_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("duration_seconds", Integer),
    Column("facts", JSONB, nullable=False, comment="caller, seat, recording_url, each with the instant of its event"),
    Column("complaint_id", Uuid, ForeignKey("complaints.id"), comment="its record, once that was noticed"),
    Column("dismissed", JSONB(none_as_null=True)),
    Column("dismissed_at", DateTime(timezone=True)),
    Column("erased_at", DateTime(timezone=True)),
    UniqueConstraint("channel_id", "call_id", name="uq_calls_call"),
    Index("ix_calls_record", "account", "call_id"),
    Index("ix_calls_heard", text("heard_at desc"), text("id desc")),
    Index("ix_calls_open", "channel_id", postgresql_where=text("complaint_id is null and dismissed_at is null")),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("complaint_id", Uuid, primary_key=True, comment="heard from resolution; may come before or after anything"),
    Column("state", Text),
    Column("state_revision", Integer, nullable=False, server_default=text("0")),
    Column("cycle", Integer),
    Column("moved_at", DateTime(timezone=True)),
    Column("resolved_cycle", Integer, nullable=False, server_default=text("0")),
    Column("resolved_at", DateTime(timezone=True)),
    Column("result", JSONB(none_as_null=True), comment="the four parts of the written result (C6)"),
    Column("measure_kinds", JSONB(none_as_null=True)),
)

contact_accesses = Table(
    "contact_accesses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("persons.id"), nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("accessed_at", DateTime(timezone=True), nullable=False),
    Index("ix_contact_accesses_person", "person_id", "accessed_at"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True, comment="in hexadecimal; the name of the file in the store"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False, comment="by its first bytes"),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("scan", Text, nullable=False, comment="pending, clean, infected, not_scanned, failed"),
    Column("signature", Text, comment="what the scanner found, or why it failed"),
    Column("scanned_at", DateTime(timezone=True)),
    Column("scan_attempts", Integer, nullable=False, server_default=text("0")),
    Column("scan_at", DateTime(timezone=True), comment="when it is to be scanned next"),
    Index("ix_blobs_pending", "scan_at", postgresql_where=text("scan = 'pending'")),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sha256", Text, ForeignKey("blobs.sha256"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False, comment="by its first bytes and its name"),
    Column("stated_type", Text, nullable=False, comment="what the sender said"),
    Column("actor", JSONB, nullable=False, comment="who uploaded it"),
    Column("uploaded_at", DateTime(timezone=True), nullable=False, index=True),
    Column("chat_id", Uuid, comment="the chat whose visitor uploaded it"),
    Index("ix_attachments_chat_id", "chat_id", postgresql_where=text("chat_id is not null")),
)

attachment_uses = Table(
    "attachment_uses",
    metadata,
    Column("attachment_id", Uuid, ForeignKey("attachments.id"), primary_key=True),
    Column("holder_id", Uuid, primary_key=True, index=True, comment="the complaint, or the receipt of the message"),
)

attachment_accesses = Table(
    "attachment_accesses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("attachment_id", Uuid, nullable=False, comment="which may be gone by now"),
    Column("actor", JSONB, nullable=False),
    Column("what", Text, nullable=False, comment="download, or link: whoever has the link may download"),
    Column("accessed_at", DateTime(timezone=True), nullable=False),
    Index("ix_attachment_accesses", "attachment_id", "accessed_at", "id"),
)

chats = Table(
    "chats",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("visitor", JSONB, nullable=False, comment="who the site says it is; empty after erasure"),
    Column("language", Text),
    Column("state", Text, nullable=False, comment="silent, waiting, joined, ended"),
    Column("since", DateTime(timezone=True), nullable=False, comment="when it came into its state"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("agent", JSONB(none_as_null=True), comment="in charge"),
    Column("queue", Text, nullable=False),
    Column("offered_to", Text, comment="the agent to whom it was handed over, until somebody joins"),
    Column("complaint_id", Uuid, ForeignKey("complaints.id"), index=True),
    Column("last_seq", Integer, nullable=False, server_default=text("0")),
    Index("ix_chats_state", "state", "since", "id"),
)

chat_entries = Table(
    "chat_entries",
    metadata,
    Column("chat_id", Uuid, ForeignKey("chats.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", Text, nullable=False, comment="message, joined, handed_over, ended"),
    Column("author", Text, nullable=False, comment="visitor, or agent: and who it is"),
    Column("name", Text, nullable=False, comment="the agent's"),
    Column("message_id", Text, comment="the client's own"),
    Column("delivery", Text, comment="the message id in the channel, by which the text is found"),
    Column("data", JSONB, nullable=False, comment="of a hand-over"),
    Column("at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("chat_id", "author", "message_id", name="uq_chat_entries_message"),
)

chat_presences = Table(
    "chat_presences",
    metadata,
    Column("socket_id", Uuid, primary_key=True),
    Column("chat_id", Uuid, nullable=False, index=True),
    Column("author", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False, comment="believed so long, where nobody tells its end"),
    Column("typing_until", DateTime(timezone=True)),
)

adapter_keys = Table(
    "adapter_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, comment="the key's first characters, to tell keys apart"),
    Column("hash", Text, nullable=False, unique=True),
    Column("channel", Text, comment="bound to this channel, and to this account of it"),
    Column("account", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("revoked_by", Text),
)
