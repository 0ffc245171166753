"""A service point: complaints on paper, typed and scanned by the seat at the counter (A1)."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from intake_service.channels.kind import Kind
from intake_service.domain.record import MAX_ATTACHMENTS, Attachment, NewComplaint, Part, StatedChannel, Told
from intake_service.domain.text import Identifier, Instant, Line
from shared.contracts.vocabulary import Channel

MIB = 1024 * 1024
PDF = "application/pdf"

EXAMPLE: dict[str, Any] = {
    "form_number": "HZ-2024-000317",
    "seat": "counter-3",
    "received_at": "2024-05-10T10:20:00+08:00",
    "pages": ["0190d0a4-7c1c-7000-8000-000000000000"],
    "symptom": "换货后的电饭煲仍然不通电",
    "complainant": {"name": "王女士", "phones": ["13812341234"]},
}


class ServicePointSettings(Part):
    max_page_mib: Annotated[int, Field(ge=1, le=50, description="Of one scanned page.")] = 20


class Paper(Told):
    """A paper form, and what it says as the seat typed it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    form_number: Annotated[Identifier, Field(description="As printed on the paper: one form is one complaint.")]
    seat: Annotated[Line, Field(description="The counter that took it.")]
    received_at: Annotated[Instant, Field(description="As stamped on the paper; not in the future.")]
    pages: Annotated[
        tuple[UUID, ...],
        Field(min_length=1, max_length=MAX_ATTACHMENTS, description="The scanned pages: ids of uploads, in order."),
    ]

    def record(self, account: str) -> NewComplaint:
        told = {name: getattr(self, name) for name in Told.model_fields}
        return NewComplaint(
            **told,
            channel=StatedChannel(
                channel=Channel.SERVICE_POINT, account=account, seat=self.seat, message_id=self.form_number
            ),
            received_at=self.received_at,
            attachments=tuple(Attachment(id=page) for page in self.pages),
        )


def is_page(media_type: str) -> bool:
    """Whether a scanner makes such files: pictures that are no markup, and PDF."""
    return media_type == PDF or (media_type.startswith("image/") and not media_type.startswith("image/svg"))


KIND = Kind("service_point", Channel.SERVICE_POINT, ServicePointSettings)
