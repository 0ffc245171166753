"""Calls of the hotline, as the telephone system tells of them, to be joined with the record that the seat types (A1).

Invariant: what is known of a call does not depend on the order in which its events came, nor on how often.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from intake_service.domain.contacts import NotAContact, mask_identifier, mask_phone, normal_phone
from intake_service.domain.record import NewComplaint, Part
from intake_service.domain.text import Text
from shared.contracts.envelope import Actor

#: A call of which nothing was heard for so long has ended, though nobody said so.
FORGOTTEN = timedelta(hours=4)

_E164 = re.compile(r"\+[0-9]{6,15}", re.ASCII)

#: A value and the instant of the event that told it; the latest holds, and of two at once the greater.
Told = tuple[datetime, str]
T = TypeVar("T", datetime, int, Told)


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call. `last_at` is the instant of its latest event."""

    last_at: datetime
    rang_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    caller: Told | None = None
    seat: Told | None = None
    recording_url: Told | None = None

    @property
    def began_at(self) -> datetime | None:
        """When it was taken; where nobody said so, when it rang."""
        return self.started_at or self.rang_at

    @property
    def phone(self) -> str | None:
        """The caller's number (E.164), where it is one."""
        return self.caller[1] if self.caller is not None and _E164.fullmatch(self.caller[1]) else None

    def with_number(self, region: str) -> "Call":
        """With the caller's number in its normal form; what is none (an extension, `anonymous`) stays as it is."""
        if self.caller is None:
            return self
        try:
            return replace(self, caller=(self.caller[0], normal_phone(self.caller[1], region)))
        except NotAContact:
            return replace(self, caller=(self.caller[0], self.caller[1].lstrip("+") or "?"))

    def without_person(self) -> "Call":
        return replace(self, caller=None, recording_url=None)


def merged(one: Call, other: Call) -> Call:
    """What both tell together: commutative, associative, and twice the same is the same."""

    def of(choose: Callable[[T, T], T], first: T | None, second: T | None) -> T | None:
        if first is None or second is None:
            return second if first is None else first
        return choose(first, second)

    return Call(
        last_at=max(one.last_at, other.last_at),
        rang_at=of(min, one.rang_at, other.rang_at),
        started_at=of(min, one.started_at, other.started_at),
        ended_at=of(max, one.ended_at, other.ended_at),
        duration_seconds=of(max, one.duration_seconds, other.duration_seconds),
        caller=of(max, one.caller, other.caller),
        seat=of(max, one.seat, other.seat),
        recording_url=of(max, one.recording_url, other.recording_url),
    )


def completed(record: NewComplaint, call: Call, now: datetime) -> NewComplaint:
    """The record that a seat typed of the call, with what it left out: the caller's number, when it began, the seat."""
    changes: dict[str, Any] = {}
    if not record.complainant.phones and (phone := call.phone) is not None:
        changes["complainant"] = record.complainant.model_copy(update={"phones": (phone,)})
    began_at = call.began_at
    if record.received_at is None and began_at is not None and _may_be_received(record, began_at, now):
        changes["received_at"] = began_at
    if record.channel.seat is None and call.seat is not None:
        changes["channel"] = record.channel.model_copy(update={"seat": call.seat[1]})
    return record.model_copy(update=changes) if changes else record


def _may_be_received(record: NewComplaint, at: datetime, now: datetime) -> bool:
    """Not in the future, and not before what the record says of its own times."""
    return all(at >= each for each in (record.happened_at, record.made_at) if each is not None) and at <= now


class Dismissal(StrEnum):
    """Why a call needs no record."""

    WRONG_NUMBER = "wrong_number"
    NO_COMPLAINT = "no_complaint"
    HUNG_UP = "hung_up"
    INTERNAL = "internal"
    RECORDED_ELSEWHERE = "recorded_elsewhere"


class Dismiss(Part):
    """That a call needs no record, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "wrong_number"}]})

    reason: Dismissal
    note: Text = ""


class Dismissed(BaseModel):
    """`at`, by whom and why it was closed."""

    model_config = ConfigDict(frozen=True)

    reason: Dismissal
    note: str
    actor: Actor
    at: datetime


def masked_caller(call: Call) -> str | None:
    if call.caller is None:
        return None
    return mask_phone(phone) if (phone := call.phone) is not None else mask_identifier(call.caller[1])
