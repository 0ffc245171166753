"""Event contracts by owner: data only. `CATALOGUE` is the whole map, service by service."""

from shared.contracts import feedback, insight, intake, notify, resolution, sla, triage
from shared.contracts.envelope import Event

CATALOGUE: dict[str, tuple[type[Event], ...]] = {
    "intake": intake.PUBLISHES,
    "triage": triage.PUBLISHES,
    "resolution": resolution.PUBLISHES,
    "sla": sla.PUBLISHES,
    "feedback": feedback.PUBLISHES,
    "insight": insight.PUBLISHES,
    "notify": notify.PUBLISHES,
}
SERVICES: tuple[str, ...] = tuple(CATALOGUE)
BY_TYPE: dict[str, type[Event]] = {event.TYPE: event for events in CATALOGUE.values() for event in events}
COMPACTED_TOPICS: frozenset[str] = frozenset({intake.CONTACTS_TOPIC, triage.ROSTER_TOPIC})
TOPICS: tuple[str, ...] = tuple(dict.fromkeys(event.TOPIC for event in BY_TYPE.values()))

__all__ = ["BY_TYPE", "CATALOGUE", "COMPACTED_TOPICS", "SERVICES", "TOPICS", "Event"]
