"""Who is the same person, and what is known of them (A2, A9)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from intake_service.domain import contacts
from intake_service.domain.contacts import Contacts
from shared.contracts.envelope import Actor, CustomerRef
from shared.contracts.intake import ContactsChangedV1
from shared.contracts.vocabulary import Channel, Language

MAX_KEPT_CONTACTS = 10
STANDARD_LEVEL = "standard"


class IdentityKind(IntEnum):
    """By what a person is recognised, the strongest first. The account comes from the company's own systems; phones
    are lent and mail addresses shared, so they give way to it. A handle is an id within one account of one channel."""

    ACCOUNT = 1
    PHONE = 2
    WECOM = 3
    EMAIL = 4
    HANDLE = 5


#: `(kind, value)`; sorts by strength.
Identity = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Stated:
    """The complainant of one record with normalised contacts."""

    name: str = ""
    contacts: Contacts = field(default_factory=Contacts)
    organisation: str | None = None
    account_id: str | None = None
    preferred_channel: Channel | None = None
    language: Language | None = None
    level: str | None = None
    handles: tuple[str, ...] = ()

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What this person may be recognised by, strongest first."""
        found: list[Identity] = []
        if self.account_id:
            found.append((IdentityKind.ACCOUNT, f"{self.organisation or ''}\x1f{self.account_id}".lower()))
        found += [(IdentityKind.PHONE, phone) for phone in self.contacts.phones]
        if self.contacts.wecom:
            found.append((IdentityKind.WECOM, self.contacts.wecom))
        found += [(IdentityKind.EMAIL, email) for email in self.contacts.emails]
        found += [(IdentityKind.HANDLE, handle) for handle in self.handles]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Person:
    """A complainant. `revision` counts the changes of what is known; an erased person has nothing left but the id."""

    id: UUID
    created_at: datetime
    revision: int = 0
    name: str = ""
    contacts: Contacts = field(default_factory=Contacts)
    organisation: str | None = None
    account_id: str | None = None
    preferred_channel: Channel | None = None
    language: Language = Language.ZH
    level: str = STANDARD_LEVEL
    erased_at: datetime | None = None

    def learn(self, stated: Stated) -> "Person":
        """With what was stated: the newest first, nothing forgotten, at most ten contacts of a kind."""
        known = Person(
            id=self.id,
            created_at=self.created_at,
            revision=self.revision + 1,
            name=stated.name or self.name,
            contacts=Contacts(
                contacts.joined(stated.contacts.phones, self.contacts.phones, MAX_KEPT_CONTACTS),
                contacts.joined(stated.contacts.emails, self.contacts.emails, MAX_KEPT_CONTACTS),
                stated.contacts.wecom or self.contacts.wecom,
            ),
            organisation=stated.organisation or self.organisation,
            account_id=stated.account_id or self.account_id,
            preferred_channel=stated.preferred_channel or self.preferred_channel,
            language=stated.language or self.language,
            level=stated.level or self.level,
        )
        return self if self.revision and known == replace(self, revision=known.revision) else known

    @property
    def display(self) -> str:
        return "*" if self.erased_at else contacts.display(self.name, self.contacts)

    @property
    def ref(self) -> CustomerRef:
        """The person as other services may see them."""
        return CustomerRef(
            person_id=self.id,
            display=self.display,
            language=self.language,
            preferred_channel=self.preferred_channel,
            level=self.level,
        )


def contacts_changed(person: Person, event_id: UUID, at: datetime, actor: Actor) -> ContactsChangedV1:
    """The whole contacts, for the contacts topic alone."""
    return ContactsChangedV1(
        event_id=event_id,
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        person_id=person.id,
        revision=person.revision,
        name=person.name,
        phones=person.contacts.phones,
        emails=person.contacts.emails,
        wecom_id=person.contacts.wecom,
        preferred_channel=person.preferred_channel,
        language=person.language,
    )
