"""Tables and queries. No commits."""

from notify_service.store.lists import find, list_messages, list_notices, queue_again
from notify_service.store.outgoing import (
    Due,
    Outcome,
    insert_messages,
    lease_messages,
    let_wait,
    lock_due,
    next_due,
    record,
)
from notify_service.store.overrides import Override, delete_override, lock_override, overrides, put_override
from notify_service.store.people import (
    EndedSession,
    close_sessions,
    erase,
    erased,
    lock_preference,
    put_preference,
    recipient_preference,
    release_waiting,
    share_people,
    teams_by_id,
    upsert_recipients,
    upsert_sessions,
    upsert_teams,
)
from notify_service.store.tables import metadata

__all__ = [
    "Due",
    "EndedSession",
    "Outcome",
    "Override",
    "close_sessions",
    "delete_override",
    "erase",
    "erased",
    "find",
    "insert_messages",
    "lease_messages",
    "let_wait",
    "list_messages",
    "list_notices",
    "lock_due",
    "lock_override",
    "lock_preference",
    "metadata",
    "next_due",
    "overrides",
    "put_override",
    "put_preference",
    "queue_again",
    "recipient_preference",
    "record",
    "release_waiting",
    "share_people",
    "teams_by_id",
    "upsert_recipients",
    "upsert_sessions",
    "upsert_teams",
]
