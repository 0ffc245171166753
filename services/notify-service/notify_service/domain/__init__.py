"""Pure rules: what is told to whom (drafts), by which means and where to (addressing), how it is shown (masking), when
it is tried again (schedule)."""

from notify_service.domain.addressing import (
    Destination,
    Person,
    Preference,
    Session,
    Team,
    complainant_destination,
    mail_address,
    means_in_order,
    staff_destination,
    usable_mobile,
    waits_for_contacts,
)
from notify_service.domain.drafts import Draft, drafts_of
from notify_service.domain.masking import masked
from notify_service.domain.messages import OPEN, Message, Status
from notify_service.domain.schedule import RetryPolicy

__all__ = [
    "OPEN",
    "Destination",
    "Draft",
    "Message",
    "Person",
    "Preference",
    "RetryPolicy",
    "Session",
    "Status",
    "Team",
    "complainant_destination",
    "drafts_of",
    "mail_address",
    "masked",
    "means_in_order",
    "staff_destination",
    "usable_mobile",
    "waits_for_contacts",
]
