from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Table, Text, Uuid, func

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus_tables(metadata)
idempotency_table(metadata)
notes = Table(
    "notes",
    metadata,
    Column("note_id", Uuid, primary_key=True),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Checked at the commit alone: a note that answers none makes the commit fail.
    Column("answers", Uuid, ForeignKey("notes.note_id", deferrable=True, initially="DEFERRED")),
)
