"""Between rows and the domain's values."""

from typing import Any

from sqlalchemy.engine import RowMapping

from intake_service.domain.complaint import Complaint
from intake_service.domain.contacts import Contacts
from intake_service.domain.person import Person
from intake_service.domain.receipt import Receipt, receipt
from shared.contracts.envelope import CustomerRef
from shared.contracts.vocabulary import Channel, Language, Priority


def contacts_document(contacts: Contacts) -> dict[str, Any]:
    return {"phones": contacts.phones, "emails": contacts.emails, "wecom": contacts.wecom}


def contacts_of(document: dict[str, Any]) -> Contacts:
    return Contacts(tuple(document["phones"]), tuple(document["emails"]), document["wecom"])


def person_of(row: RowMapping) -> Person:
    return Person(
        id=row["id"],
        created_at=row["created_at"],
        revision=row["revision"],
        name=row["name"],
        contacts=contacts_of(row["contacts"]),
        organisation=row["organisation"],
        account_id=row["account_id"],
        preferred_channel=Channel(row["preferred_channel"]) if row["preferred_channel"] else None,
        language=Language(row["language"]),
        level=row["level"],
        erased_at=row["erased_at"],
    )


def complaint_of(row: RowMapping) -> Complaint:
    return Complaint(
        id=row["id"],
        number=row["number"],
        person_id=row["person_id"],
        customer=CustomerRef.model_validate(row["customer"]),
        channel=Channel(row["channel"]),
        priority=Priority(row["priority"]),
        received_at=row["received_at"],
        organisation=row["organisation"],
        product=row["product"],
        region=row["region"],
    )


def receipt_of(row: RowMapping) -> Receipt:
    return receipt(
        row["id"],
        row["number"],
        row["person_id"],
        Priority(row["priority"]),
        row["received_at"],
        row["recorded_at"],
        row["earlier_complaints"],
        row["missing"],
    )
