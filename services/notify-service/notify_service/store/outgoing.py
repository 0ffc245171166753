"""Outgoing messages: kept, claimed by a worker, recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from notify_service.domain import Draft, Message, Person, Preference, Session, Status
from notify_service.store.json import json_rows
from notify_service.store.people import preference_of
from shared.contracts.envelope import ComplaintFacts, StaffContact
from shared.contracts.vocabulary import Channel, Language, Means, Purpose

_INSERT = text(
    """
    insert into messages (message_id, purpose, audience, person_id, staff, team_id, team_role, complaint_id, facts,
      reference_id, cycle, channel, occurred_at, created_at, due_at, params, status, redacted)
    select r.message_id, r.purpose, r.audience, r.person_id, r.staff, r.team_id, r.team_role, r.complaint_id,
      case when e.person_id is null then r.facts else jsonb_set(r.facts, '{customer,display}', '""') end,
      r.reference_id, r.cycle, r.channel, r.occurred_at, :now, :now,
      case when e.person_id is null then r.params when r.audience = 'staff' then r.params || '{"customer": ""}'
        else '{}' end,
      case when e.person_id is null or r.audience = 'staff' then 'queued' else 'withdrawn' end,
      e.person_id is not null and r.audience = 'complainant'
    from jsonb_to_recordset(cast(:rows as jsonb)) as r (message_id uuid, purpose text, audience text, person_id uuid,
      staff jsonb, team_id text, team_role text, complaint_id uuid, facts jsonb, reference_id uuid, cycle int,
      channel text, occurred_at timestamptz, params jsonb)
    left join erasures e on e.person_id = r.person_id
    order by r.message_id
    on conflict (message_id) do nothing
    """
)

_DUE = text(
    """
    select m.*, r.person_id as known, r.phones, r.emails, r.wecom_id, r.preferred_channel,
      r.language as known_language, p.channel as wished_channel, p.language as wished_language,
      s.channel as session_channel, s.account as session_account, s.address as session_address,
      s.webhook as session_webhook, s.expires_at as session_expires_at
    from messages m
    left join recipients r on r.person_id = m.person_id and m.audience = 'complainant'
    left join preferences p on p.person_id = m.person_id and m.audience = 'complainant'
    left join reply_sessions s on s.complaint_id = m.complaint_id and m.audience = 'complainant'
    where m.status in ('queued', 'waiting') and m.due_at <= :now and (m.lease_until is null or m.lease_until < now())
    order by m.due_at, m.message_id limit :most for update of m skip locked
    """
)

_LEASE = text(
    "update messages set lease = :lease, lease_until = now() + make_interval(secs => :seconds), "
    "attempts = attempts + 1, status = 'queued' where message_id = any(cast(:ids as uuid[]))"
)
_WAIT = text(
    "update messages m set status = 'waiting', due_at = r.due_at "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as r (message_id uuid, due_at timestamptz) "
    "where m.message_id = r.message_id"
)
#: Whoever holds the lease says how it went; a message that was withdrawn meanwhile stays so unless it has gone out.
_RECORD = text(
    """
    with r as (
      select r.* from jsonb_to_recordset(cast(:rows as jsonb)) as r (message_id uuid, status text, due_at timestamptz,
        delivered_at timestamptz, receipt text, reason text, means text, language text, recipient text,
        recipient_key text, subject text, text text)
    ), held as (
      select m.message_id from messages m join r using (message_id) where m.lease = :lease
      order by m.message_id for update of m
    )
    update messages m set
      status = case when m.status = 'withdrawn' and r.status <> 'delivered' then m.status else r.status end,
      due_at = coalesce(r.due_at, m.due_at), delivered_at = r.delivered_at, receipt = r.receipt, reason = r.reason,
      means = r.means, language = r.language,
      recipient = case when m.redacted then '' else r.recipient end,
      recipient_key = case when m.redacted then '' else r.recipient_key end,
      subject = case when m.redacted then '' else r.subject end,
      text = case when m.redacted then '' else r.text end,
      lease = null, lease_until = null
    from r join held using (message_id) where m.message_id = r.message_id
    returning m.message_id, m.status, m.attempts, m.round, m.redacted
    """
)
_NEXT = text(
    "select min(due_at) from messages where status in ('queued', 'waiting') "
    "and (lease_until is null or lease_until < now())"
)


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose time has come, with what is known of its complainant now."""

    message: Message
    person: Person | None
    preference: Preference
    session: Session | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went. `due_at` is set where it is tried again."""

    message_id: UUID
    status: Status
    means: Means
    language: Language
    recipient: str
    recipient_key: str
    subject: str
    text: str
    due_at: datetime | None = None
    delivered_at: datetime | None = None
    receipt: str = ""
    reason: str = ""


async def insert_messages(tx: AsyncSession, drafts: Sequence[Draft], now: datetime) -> None:
    """Keep those that are new, due at once; what is for an erased complainant is withdrawn. One statement."""
    await tx.execute(_INSERT, {"rows": json_rows([_kept(draft) for draft in drafts]), "now": now})


def _kept(draft: Draft) -> dict[str, Any]:
    facts = draft.facts
    return {
        "message_id": draft.message_id,
        "purpose": draft.purpose,
        "audience": draft.audience,
        "person_id": facts.customer.person_id if facts else None,
        "staff": draft.staff.model_dump(mode="json") if draft.staff else None,
        "team_id": draft.team_id,
        "team_role": draft.team_role,
        "complaint_id": facts.complaint_id if facts else None,
        "facts": facts.model_dump(mode="json") if facts else None,
        "reference_id": draft.reference_id,
        "cycle": draft.cycle,
        "channel": draft.channel,
        "occurred_at": draft.occurred_at.isoformat(),
        "params": draft.params,
    }


async def lock_due(tx: AsyncSession, now: datetime, most: int) -> list[Due]:
    """Up to `most` messages that nobody else works on, oldest first, locked until the transaction ends."""
    return [_due(row) for row in await tx.execute(_DUE, {"now": now, "most": most})]


async def lease_messages(tx: AsyncSession, message_ids: Sequence[UUID], lease: UUID, seconds: float) -> None:
    await tx.execute(_LEASE, {"ids": list(message_ids), "lease": lease, "seconds": seconds})


async def let_wait(tx: AsyncSession, until: Sequence[tuple[UUID, datetime]]) -> None:
    rows = [{"message_id": message_id, "due_at": at.isoformat()} for message_id, at in until]
    await tx.execute(_WAIT, {"rows": json_rows(rows)})


async def record(
    tx: AsyncSession, lease: UUID, messages: Mapping[UUID, Message], outcomes: Sequence[Outcome]
) -> list[Message]:
    """Write down how the attempts went; returns the `messages` that the lease still held, as they are now."""
    by_id = {outcome.message_id: outcome for outcome in outcomes}
    rows = [
        {
            "message_id": outcome.message_id,
            "status": outcome.status,
            "means": outcome.means,
            "language": outcome.language,
            "recipient": outcome.recipient,
            "recipient_key": outcome.recipient_key,
            "subject": outcome.subject,
            "text": outcome.text,
            "due_at": outcome.due_at and outcome.due_at.isoformat(),
            "delivered_at": outcome.delivered_at and outcome.delivered_at.isoformat(),
            "receipt": outcome.receipt,
            "reason": outcome.reason,
        }
        for outcome in outcomes
    ]
    written = await tx.execute(_RECORD, {"rows": json_rows(rows), "lease": lease})
    return [_recorded(messages[row.message_id], by_id[row.message_id], row) for row in written]


def _recorded(message: Message, outcome: Outcome, row: Row[Any]) -> Message:
    facts = message.facts
    if row.redacted and facts is not None:
        facts = facts.model_copy(update={"customer": facts.customer.model_copy(update={"display": ""})})
    return replace(
        message,
        status=Status(row.status),
        attempts=row.attempts,
        round=row.round,
        facts=facts,
        means=outcome.means,
        language=outcome.language,
        recipient="" if row.redacted else outcome.recipient,
        recipient_key="" if row.redacted else outcome.recipient_key,
        subject="" if row.redacted else outcome.subject,
        text="" if row.redacted else outcome.text,
        due_at=outcome.due_at or message.due_at,
        delivered_at=outcome.delivered_at,
        receipt=outcome.receipt,
        reason=outcome.reason,
    )


async def next_due(tx: AsyncSession) -> datetime | None:
    """When the next message is to be tried."""
    at: datetime | None = await tx.scalar(_NEXT)
    return at


def _due(row: Row[Any]) -> Due:
    message = message_of(row)
    person = None
    if row.known is not None:
        person = Person(
            row.known,
            tuple(row.phones),
            tuple(row.emails),
            row.wecom_id,
            Channel(row.preferred_channel) if row.preferred_channel else None,
            Language(row.known_language),
        )
    session = None
    if row.session_channel is not None:
        session = Session(
            Channel(row.session_channel),
            row.session_account,
            row.session_address,
            row.session_webhook,
            row.session_expires_at,
        )
    return Due(message, person, preference_of(row.wished_channel, row.wished_language), session)


def message_of(row: Row[Any]) -> Message:
    return Message(
        message_id=row.message_id,
        purpose=Purpose(row.purpose),
        audience=row.audience,
        person_id=row.person_id,
        staff=StaffContact.model_validate(row.staff) if row.staff else None,
        team_id=row.team_id,
        team_role=row.team_role,
        facts=ComplaintFacts.model_validate(row.facts) if row.facts else None,
        reference_id=row.reference_id,
        cycle=row.cycle,
        channel=Channel(row.channel) if row.channel else None,
        params=row.params,
        occurred_at=row.occurred_at,
        created_at=row.created_at,
        due_at=row.due_at,
        status=Status(row.status),
        attempts=row.attempts,
        round=row.round,
        means=Means(row.means) if row.means else None,
        language=Language(row.language) if row.language else None,
        recipient=row.recipient,
        recipient_key=row.recipient_key,
        subject=row.subject,
        text=row.text,
        delivered_at=row.delivered_at,
        receipt=row.receipt,
        reason=row.reason,
    )
