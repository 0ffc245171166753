"""What whoever sends in a complaint is told: nothing personal, so the answer may be kept for repeated requests."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from intake_service.domain.template import QUESTIONS
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import URGENCY_OF_PRIORITY, Priority, Urgency


class MissingPart(BaseModel):
    """What the template wants and the record lacks (A2), and how to ask for it."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(examples=["/happened_at"])
    question: Bilingual


class Receipt(BaseModel):
    """The complaint is kept. `earlier_complaints` counts those that its complainant had made before (A9)."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    number: str = Field(examples=["C-20240510-000001"])
    complainant_id: UUID
    priority: Priority
    urgency: Urgency
    received_at: datetime
    recorded_at: datetime
    earlier_complaints: int
    missing: tuple[MissingPart, ...]


_PARTS = {pointer: MissingPart(pointer=pointer, question=question) for pointer, question in QUESTIONS.items()}


def missing_parts(pointers: Iterable[str]) -> tuple[MissingPart, ...]:
    return tuple([_PARTS[pointer] for pointer in pointers if pointer in _PARTS])


def receipt(
    id: UUID,
    number: str,
    person_id: UUID,
    priority: Priority,
    received_at: datetime,
    recorded_at: datetime,
    earlier_complaints: int,
    missing: Iterable[str],
) -> Receipt:
    return Receipt(
        id=id,
        number=number,
        complainant_id=person_id,
        priority=priority,
        urgency=URGENCY_OF_PRIORITY[priority],
        received_at=received_at,
        recorded_at=recorded_at,
        earlier_complaints=earlier_complaints,
        missing=missing_parts(missing),
    )
