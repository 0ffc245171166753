"""Triage's Kafka door: what it listens to and what it tells."""

from collections.abc import Awaitable, Callable

from shared.contracts import Event, triage
from shared.contracts.intake import ComplaintReceivedV1, PersonErasedV1
from shared.contracts.resolution import CaseMovedV1
from triage_service.usecases import assess

CONSUMES: dict[type[Event], Callable[..., Awaitable[None]]] = {
    ComplaintReceivedV1: assess.assess,
    CaseMovedV1: assess.follow_cases,
    PersonErasedV1: assess.forget,
}
PUBLISHES = triage.PUBLISHES
