"""Tables and queries. No commits."""

from resolution_service.store.commands import (
    analysed_in,
    complaint_of_measure,
    complaint_of_promise,
    complaint_of_transfer,
    end_actions,
    forget,
    lock_case,
    measure,
    measures_of,
    promise,
    save_case,
    save_measure,
    save_promise,
    save_transfer,
    team,
    team_ids,
    transfer,
    upsert_actions,
    upsert_teams,
)
from resolution_service.store.hearing import (
    Heard,
    bearing_facts,
    insert_entries,
    know_cases,
    move_cases,
    upsert_cases,
    upsert_clocks,
)
from resolution_service.store.tables import metadata
from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

bus = bus_tables(metadata)
idempotency = idempotency_table(metadata)

__all__ = [
    "Heard",
    "analysed_in",
    "bearing_facts",
    "bus",
    "complaint_of_measure",
    "complaint_of_promise",
    "complaint_of_transfer",
    "end_actions",
    "forget",
    "idempotency",
    "insert_entries",
    "know_cases",
    "lock_case",
    "measure",
    "measures_of",
    "metadata",
    "move_cases",
    "promise",
    "save_case",
    "save_measure",
    "save_promise",
    "save_transfer",
    "team",
    "team_ids",
    "transfer",
    "upsert_actions",
    "upsert_cases",
    "upsert_clocks",
    "upsert_teams",
]
