"""By which means a message leaves the house, and where to (A4).

The customer's preferred channel wins; then the means that fits (urgency, or what the purpose wants), then whatever
address exists; a notice in the system is always possible and comes last.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notify_service.domain.masking import masked
from notify_service.domain.messages import Message
from shared.contracts.envelope import CustomerRef, StaffContact
from shared.contracts.vocabulary import Channel, Language, Means, Purpose, Urgency

_BY_CHANNEL: Mapping[Channel, tuple[Means, ...]] = {
    Channel.HOTLINE: (Means.SMS,),
    Channel.SMS: (Means.SMS,),
    Channel.EMAIL: (Means.EMAIL,),
    Channel.WECOM: (Means.WECOM,),
    Channel.DINGTALK: (Means.DINGTALK,),
    Channel.IN_APP: (Means.EMAIL, Means.IN_SYSTEM),
    Channel.CHAT: (Means.EMAIL, Means.IN_SYSTEM),
    Channel.WEB_FORM: (Means.EMAIL, Means.IN_SYSTEM),
}
_BY_URGENCY: Mapping[Urgency, tuple[Means, ...]] = {
    Urgency.HIGH: (Means.SMS,),
    Urgency.MEDIUM: (Means.EMAIL, Means.WECOM),
    Urgency.LOW: (Means.IN_SYSTEM,),
}
#: What has to be read again later (C6) goes in writing where it can.
_WRITTEN = (Means.EMAIL, Means.WECOM, Means.DINGTALK, Means.SMS)
_ANY = (Means.SMS, Means.EMAIL, Means.WECOM, Means.DINGTALK, Means.IN_SYSTEM)
_STAFF = (Means.EMAIL, Means.WECOM, Means.SMS, Means.IN_SYSTEM)

_ROLES = {"team_lead": "lead", "department_manager": "manager"}

_CHINESE_MOBILE = re.compile(r"\+861[3-9]\d{9}")
#: RFC 5321 Mailbox with a dot-string and a domain name; quoted local parts and address literals are not written to.
_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_PHONE = re.compile(r"\+?\d{5,15}")


@dataclass(frozen=True, slots=True)
class Person:
    """A complainant's full contacts, as intake told them last."""

    person_id: UUID
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    wecom_id: str | None = None
    preferred_channel: Channel | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """What the complainant asked for here; it goes before what intake knows."""

    channel: Channel | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """The conversation that a complaint's last message came by, and until when its channel takes an answer there."""

    channel: Channel
    account: str
    address: str
    webhook: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Team:
    """A team's people by role: contact, lead, manager, executive."""

    team_id: str
    people: Mapping[str, StaffContact]

    def who(self, role: str) -> StaffContact | None:
        """The one of that role, or the one who answers for the team."""
        for wanted in (_ROLES.get(role, role), "contact", "lead", "manager"):
            if (person := self.people.get(wanted)) is not None:
                return person
        return None


@dataclass(frozen=True, slots=True)
class Destination:
    """`address` is whole and never kept; `recipient` is its masked display; `recipient_key` finds notices again."""

    means: Means
    address: str
    recipient: str
    recipient_key: str
    language: Language
    #: Of ours, by which it goes out; None for the one that is set.
    account: str | None = None


def usable_mobile(phone: str) -> bool:
    """Whether a text message can arrive there; a Chinese land line takes none."""
    if phone.startswith("+86"):
        return _CHINESE_MOBILE.fullmatch(phone) is not None
    return _PHONE.fullmatch(phone) is not None


def mail_address(address: str) -> str | None:
    """The address as SMTP takes it everywhere (an international domain in its ASCII form), or None where it is not
    one: what would add a header or a second recipient is none. A local part beyond ASCII is not written to."""
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            return None
    written = f"{local}@{domain}"
    return written if len(written) <= 254 and _MAIL_ADDRESS.fullmatch(written) else None


def means_in_order(
    purpose: Purpose, urgency: Urgency, preferred: Channel | None, incoming: Channel | None, chosen: Channel | None
) -> tuple[Means, ...]:
    """The means to try, best first.

    `chosen` is the channel that the sender of a reply wrote on; `incoming` the one the complaint came by (D1: the
    survey goes by the customer's channel).
    """
    wishes: list[Means] = []
    for channel in (chosen, preferred, incoming if purpose is Purpose.SURVEY else None):
        if channel is not None:
            wishes += _BY_CHANNEL.get(channel, ())
    fitting = _WRITTEN if purpose in (Purpose.RESULT, Purpose.SURVEY) else _BY_URGENCY[urgency]
    return tuple(dict.fromkeys((*wishes, *fitting, *_ANY)))


def complainant_destination(
    message: Message,
    customer: CustomerRef,
    person: Person | None,
    wished: Preference,
    session: Session | None = None,
    now: datetime | None = None,
) -> Destination:
    """Where a message to a complainant goes, with what is known of them `now`. A conversation that takes no answer any
    more is no address; without any of the complaint, a WeCom user is written to by the account that is set."""
    open_session = _open(session, now)
    known = person or Person(customer.person_id)
    language = wished.language or known.language or customer.language
    order = _order(message, wished.channel or known.preferred_channel or customer.preferred_channel)
    addresses: _Addresses = {
        Means.SMS: filter(usable_mobile, known.phones),
        Means.EMAIL: filter(None, map(mail_address, known.emails)),
        Means.WECOM: filter(None, (_wecom(known, session, open_session),)),
        Means.DINGTALK: filter(None, (open_session.webhook if open_session else None,)),
    }
    means, address = _first(order, addresses)
    shown = customer.display if means is Means.IN_SYSTEM else masked(means, address)
    account = open_session.account if open_session and means in (Means.WECOM, Means.DINGTALK) else None
    return Destination(means, address, shown, str(customer.person_id), language, account)


def waits_for_contacts(
    message: Message, customer: CustomerRef, wished: Preference, session: Session | None, now: datetime
) -> bool:
    """Whether contacts that are not heard yet could change where it goes: not where a conversation takes the answer,
    and not where it is a notice in the system anyway. Who is known by an id of a channel alone never has contacts."""
    if _open(session, now) is not None:
        return False
    return _order(message, wished.channel or customer.preferred_channel)[0] is not Means.IN_SYSTEM


def _open(session: Session | None, now: datetime | None) -> Session | None:
    return session if session is not None and now is not None and now < session.expires_at else None


def _order(message: Message, preferred: Channel | None) -> tuple[Means, ...]:
    incoming = message.facts.channel if message.facts else None
    return means_in_order(message.purpose, Urgency(message.params["urgency"]), preferred, incoming, message.channel)


def _wecom(known: Person, session: Session | None, open_session: Session | None) -> str | None:
    if session is None or session.channel is not Channel.WECOM:
        return known.wecom_id
    return open_session.address if open_session else None


def staff_destination(message: Message, staff: StaffContact | None, language: Language) -> Destination:
    """Where a message to a colleague goes; with nobody known it is a notice to the team."""
    if staff is None:
        key = f"team:{message.team_id}" if message.team_id else "unassigned"
        return Destination(Means.IN_SYSTEM, "", key, key, language)
    addresses: _Addresses = {
        Means.EMAIL: filter(None, map(mail_address, filter(None, (staff.email,)))),
        Means.WECOM: filter(None, (staff.wecom,)),
        Means.SMS: filter(usable_mobile, filter(None, (staff.phone,))),
    }
    means, address = _first(_STAFF, addresses)
    shown = f"{staff.name} {masked(means, address)}".strip()
    return Destination(means, address, shown, staff.staff_id, language)


#: By means, best first; looked at when it is that means' turn.
_Addresses = Mapping[Means, Iterator[str]]


def _first(order: tuple[Means, ...], addresses: _Addresses) -> tuple[Means, str]:
    for means in order:
        if means is Means.IN_SYSTEM:
            break
        if address := next(addresses[means], None):
            return means, address
    return Means.IN_SYSTEM, ""
