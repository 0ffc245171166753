"""Events of a telephone system (CTI) about the calls of a hotline."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from intake_service.channels.kind import Kind
from intake_service.channels.webhook import OPTIONAL_SECRETS, SECRET_NAMES
from intake_service.channels.wire import Url
from intake_service.domain.calls import Call
from intake_service.domain.channels import ChannelSpec
from intake_service.domain.record import Part
from intake_service.domain.text import Identifier, Instant, OptionalLine
from shared.contracts.vocabulary import Channel

EXAMPLE: dict[str, Any] = {
    "event": "ended",
    "call_id": "call-20240510-0001",
    "at": "2024-05-10T10:20:00+08:00",
    "caller": "13812341234",
    "seat": "seat-07",
    "duration_seconds": 312,
}


class CallStep(StrEnum):
    RINGING = "ringing"
    STARTED = "started"
    ENDED = "ended"
    RECORDED = "recorded"


class CtiSettings(Part):
    record_within_minutes: Annotated[
        int, Field(ge=1, le=24 * 60, description="How long after its end a call may be without a record.")
    ] = 15


class CallEvent(Part):
    """What happened to a call. A field that it does not know is refused: whoever sets the telephone system up sees it
    at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    event: CallStep
    call_id: Annotated[Identifier, Field(description="The `message_id` of the record that the seat types.")]
    at: Annotated[Instant, Field(description="When it happened.")]
    caller: Annotated[OptionalLine, StringConstraints(max_length=40)] = ""
    seat: OptionalLine = ""
    duration_seconds: Annotated[int, Field(strict=True, ge=0, le=7 * 86400)] | None = None
    recording_url: Annotated[Url, Field(description="Where whoever may listen to it does.")] | None = None

    @model_validator(mode="after")
    def _recorded(self) -> Self:
        if self.event is CallStep.RECORDED and self.recording_url is None:
            raise ValueError("say where the recording is: recording_url")
        return self

    @property
    def call(self) -> Call:
        """All that this event tells of the call."""
        at, step = self.at, self.event
        return Call(
            last_at=at,
            rang_at=at if step is CallStep.RINGING else None,
            started_at=at if step is CallStep.STARTED else None,
            ended_at=at if step is CallStep.ENDED else None,
            duration_seconds=self.duration_seconds,
            caller=(at, self.caller) if self.caller else None,
            seat=(at, self.seat) if self.seat else None,
            recording_url=(at, self.recording_url) if self.recording_url else None,
        )


def limits(specs: Iterable[ChannelSpec]) -> dict[str, timedelta]:
    """Of each channel of calls, how long after its end a call may be without a record."""
    return {
        spec.channel_id: timedelta(minutes=spec.settings["record_within_minutes"])
        for spec in specs
        if spec.kind == KIND.name
    }


def due_before(specs: Iterable[ChannelSpec], now: datetime) -> dict[str, datetime]:
    """Of each channel of calls, when a call must have ended to have its record by now."""
    return {channel_id: now - within for channel_id, within in limits(specs).items()}


KIND = Kind("cti", Channel.HOTLINE, CtiSettings, secret_names=SECRET_NAMES, optional_secrets=OPTIONAL_SECRETS)
