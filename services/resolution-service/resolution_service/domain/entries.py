"""An entry of the file: one event of a complaint, ours or another service's, as the dossier keeps it (A3).

Facts and personal parts are kept apart, so that an erasure empties the one and leaves the other (A6). An entry follows
from its event alone: heard twice or late, it is the same entry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, get_args
from uuid import UUID

from pydantic import BaseModel

from resolution_service.domain.states import Fact, FactKind
from shared.contracts.envelope import Actor, ActorKind, ComplaintFacts, Event, Personal
from shared.contracts.feedback import (
    ClosingSummaryWrittenV1,
    ComplainantDissatisfiedV1,
    FollowUpDoneV1,
    SurveyAnsweredV1,
)
from shared.contracts.intake import ComplaintsLinkedV1, MessageAddedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1
from shared.contracts.triage import ComplaintClassifiedV1
from shared.contracts.vocabulary import CaseState, LinkRelation, Purpose, VisitOutcome

_ENVELOPE = frozenset(Event.model_fields) | {"facts"}
#: Not kept: who has a survey's address can answer it.
_SECRET = frozenset({"url"})


@dataclass(frozen=True, slots=True)
class Entry:
    """`data` holds what stays, `personal` what an erasure takes. `fact` says how the event bears on the state."""

    event_id: UUID
    complaint_id: UUID
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    data: str
    personal: str
    cycle: int | None = None
    other_id: UUID | None = None
    fact: FactKind | None = None
    to_state: CaseState | None = None
    serial: int | None = None


def entry_of(event: Event, facts: ComplaintFacts, *, erased: bool = False) -> Entry:
    """`erased`: the complainant was erased before the event came; its personal parts are not kept at all."""
    kept, personal = _split(type(event))
    fact = None if milestone(event) else fact_of(event)
    actor = event.actor
    if erased and actor.kind is ActorKind.COMPLAINANT:
        actor = actor.model_copy(update={"name": ""})
    order = _order_of(event) if fact is FactKind.ORDERED else None
    return Entry(
        event_id=event.event_id,
        complaint_id=facts.complaint_id,
        type=event.TYPE,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        actor=actor,
        data=event.model_dump_json(include=kept) if kept else "{}",
        personal=event.model_dump_json(include=personal) if personal and not erased else "{}",
        cycle=getattr(event, "cycle", None),
        other_id=event.other_id if isinstance(event, ComplaintsLinkedV1) else None,
        fact=fact,
        to_state=order,
    )


def fact_of(event: Event) -> FactKind | None:
    """How an event bears on the state of its case (C7, D3, D4)."""
    match event:
        case ComplaintClassifiedV1():
            return FactKind.ASSESSED
        case MessageDeliveredV1(purpose=Purpose.ACKNOWLEDGEMENT, audience="complainant"):
            return FactKind.ACKNOWLEDGED
        case CaseMovedV1() | CaseResolvedV1():
            return FactKind.ORDERED
        case MessageAddedV1(inbound=True):
            return FactKind.CUSTOMER_WROTE
        case SurveyAnsweredV1(satisfied=True) | FollowUpDoneV1(outcome=VisitOutcome.SATISFIED):
            return FactKind.SATISFIED
        case ClosingSummaryWrittenV1():
            return FactKind.CLOSING
        case ComplainantDissatisfiedV1():
            return FactKind.DISSATISFIED
        case ComplaintsLinkedV1(relation=LinkRelation.DUPLICATE_OF):
            return FactKind.MERGED
    return None


def milestone(event: Event) -> bool:
    """Milestones are kept in the case's own row, so that the first leg of a complaint needs no other."""
    return fact_of(event) in (FactKind.ASSESSED, FactKind.ACKNOWLEDGED)


def fact_from(entry: Entry, reason: str = "") -> Fact:
    assert entry.fact is not None
    return Fact(
        entry.fact,
        entry.occurred_at,
        entry.event_id,
        cycle=entry.cycle or 0,
        to=entry.to_state,
        serial=entry.serial or 0,
        reason=reason,
        actor=entry.actor,
    )


def _order_of(event: Event) -> CaseState:
    return event.to_state if isinstance(event, CaseMovedV1) else CaseState.RESOLVED


def personal_fields(contract: type[Event]) -> frozenset[str]:
    """The fields that are personal, or that hold something personal further down."""
    return frozenset(_split(contract)[1])


@cache
def _split(contract: type[Event]) -> tuple[set[str], set[str]]:
    own = {name: field for name, field in contract.model_fields.items() if name not in _ENVELOPE | _SECRET}
    personal = {
        name
        for name, field in own.items()
        if _marked(field.metadata) or any(_holds_personal(model) for model in _models_in(field.annotation))
    }
    return set(own) - personal, personal


def _marked(metadata: list[Any]) -> bool:
    return any(item is Personal or isinstance(item, Personal) for item in metadata)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _holds_personal(model: type[BaseModel]) -> bool:
    return any(
        _marked(field.metadata) or any(_holds_personal(inner) for inner in _models_in(field.annotation))
        for field in model.model_fields.values()
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it was read back; `content` is facts and personal parts together."""

    event_id: UUID
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    content: Mapping[str, Any]
    complaint_id: UUID
