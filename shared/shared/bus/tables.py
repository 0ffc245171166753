"""The bus's tables, which stand in every service's own schema.

- `outbox`: what was decided and is not delivered yet. Written in the transaction that changed the state, deleted on
  delivery.
- `inbox`: the events this service has handled. The schema says which consumer, so the event's id is the whole key.
- `inbox_started`, `inbox_attempts`: the started/finished counters that find a message which kills the process.
- `dead_letters`: what could not be handled, with the reason, until somebody replays it.
"""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

#: Rows come and go all the time: dead index entries must not pile up before `order by id limit n`.
RESTLESS = {
    "autovacuum_vacuum_scale_factor": "0",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_vacuum_cost_delay": "0",
    "autovacuum_analyze_scale_factor": "0",
    "autovacuum_analyze_threshold": "10000",
}


@dataclass(frozen=True)
class BusTables:
    outbox: Table
    inbox: Table
    started: Table
    attempts: Table
    dead_letters: Table


def bus_tables(metadata: MetaData) -> BusTables:
    """Declare the bus's tables on a service's metadata; its migration then creates them."""
    return BusTables(
        outbox=Table(
            "outbox",
            metadata,
            Column("id", BigInteger, primary_key=True),
            Column("topic", Text, nullable=False),
            Column("key", Text, nullable=False),
            Column("type", Text, nullable=False),
            Column("event_id", Uuid, nullable=False),
            Column("source", Text, nullable=False),
            Column("time", DateTime(timezone=True), nullable=False),
            Column("traceparent", Text),
            Column("headers", JSONB, comment="headers beside the CloudEvents ones (dead letters)"),
            Column("payload", LargeBinary, comment="the event's JSON; null is a tombstone"),
            Column("delivered", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="local bus only"),
            Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
            postgresql_with=RESTLESS,
        ),
        inbox=Table(
            "inbox",
            metadata,
            Column("event_id", Uuid, primary_key=True),
            Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
            Index("ix_inbox_seen_at", "seen_at", postgresql_using="brin"),
        ),
        started=Table(
            "inbox_started",
            metadata,
            Column("lane", Text, primary_key=True, comment="topic/partition, or the publisher on the local bus"),
            Column("first", BigInteger, nullable=False),
            Column("last", BigInteger, nullable=False),
            Column("owner", Uuid, nullable=False, comment="one life of one process"),
            Column("alone", Boolean, nullable=False),
            postgresql_with=RESTLESS,
        ),
        attempts=Table(
            "inbox_attempts",
            metadata,
            Column("event_id", Uuid, primary_key=True),
            Column("times", SmallInteger, nullable=False),
            Column("owner", Uuid, nullable=False),
        ),
        dead_letters=Table(
            "dead_letters",
            metadata,
            Column("id", Uuid, primary_key=True),
            Column("event_id", Uuid),
            Column("topic", Text, nullable=False),
            Column("partition", Integer),
            Column("position", BigInteger, nullable=False, comment="the broker's offset, or the outbox row's id"),
            Column("key", Text, nullable=False),
            Column("type", Text, nullable=False),
            Column("headers", JSONB, nullable=False),
            Column("payload", LargeBinary),
            Column("reason", Text, nullable=False),
            Column("error", Text, nullable=False),
            Column("attempts", Integer, nullable=False),
            Column("state", Text, nullable=False, server_default=text("'dead'"), comment="dead, replaying, replayed"),
            Column("died_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
            Column("replayed_at", DateTime(timezone=True)),
            Index("ix_dead_letters_died_at", "died_at"),
            Index("ix_dead_letters_replaying", "id", postgresql_where=text("state = 'replaying'")),
        ),
    )
