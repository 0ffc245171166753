"""Who is told: complainants' contacts and preferences, erasures, teams.

An erasure is final. It takes the lock `_PEOPLE` alone, whatever writes about a person shares it: so nothing about an
erased person can be written by a transaction that did not see the erasure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from notify_service.domain import Preference, Team
from notify_service.store.json import json_rows
from notify_service.store.tables import erasures, preferences, recipients, reply_sessions, teams
from shared.contracts.envelope import StaffContact
from shared.contracts.intake import ComplaintReceivedV1, ContactsChangedV1, MessageAddedV1
from shared.contracts.triage import TeamChangedV1
from shared.contracts.vocabulary import Channel, Language

_SHARE = text("select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.people'))")
_ALONE = text("select pg_advisory_xact_lock(hashtext(current_schema() || '.people'))")
_LOCK_PREFERENCE = text(
    "select pg_advisory_xact_lock(hashtextextended(current_schema() || '.preference.' || :person, 0))"
)

_LEARN = text(
    "insert into recipients (person_id, revision, name, phones, emails, wecom_id, preferred_channel, language) "
    "select r.* from jsonb_to_recordset(cast(:rows as jsonb)) as r (person_id uuid, revision bigint, name text, "
    "phones text[], emails text[], wecom_id text, preferred_channel text, language text) "
    "where not exists (select from erasures e where e.person_id = r.person_id) order by r.person_id "
    "on conflict (person_id) do update set revision = excluded.revision, name = excluded.name, "
    "phones = excluded.phones, emails = excluded.emails, wecom_id = excluded.wecom_id, "
    "preferred_channel = excluded.preferred_channel, language = excluded.language "
    "where excluded.revision > recipients.revision"
)
# The queued ones are locked too: a worker that has not seen the contacts and is about to let a message wait has either
# committed that, and it is released here, or finds the message locked and leaves it.
_RELEASE = text(
    "with held as (select message_id, status from messages where person_id = any(cast(:people as uuid[])) "
    "and audience = 'complainant' and status in ('queued', 'waiting') order by message_id for update) "
    "update messages m set status = 'queued', due_at = :now from held "
    "where m.message_id = held.message_id and held.status = 'waiting'"
)
_LEARN_SESSIONS = text(
    "insert into reply_sessions (complaint_id, person_id, channel, account, address, webhook, expires_at) "
    "select distinct on (r.complaint_id) r.* from jsonb_to_recordset(cast(:rows as jsonb)) as r (complaint_id uuid, "
    "person_id uuid, channel text, account text, address text, webhook text, expires_at timestamptz) "
    "where not exists (select from erasures e where e.person_id = r.person_id) "
    "order by r.complaint_id, r.expires_at desc "
    "on conflict (complaint_id) do update set channel = excluded.channel, account = excluded.account, "
    "address = excluded.address, webhook = excluded.webhook, expires_at = excluded.expires_at "
    "where excluded.expires_at > reply_sessions.expires_at"
)
_CLOSE_SESSIONS = text(
    "insert into reply_sessions (complaint_id, person_id, channel, account, address, expires_at) "
    "select distinct on (r.complaint_id) r.*, cast(:now as timestamptz) from jsonb_to_recordset(cast(:rows as jsonb)) "
    "as r (complaint_id uuid, person_id uuid, channel text, account text, address text) "
    "where not exists (select from erasures e where e.person_id = r.person_id) order by r.complaint_id "
    "on conflict (complaint_id) do update set expires_at = least(reply_sessions.expires_at, excluded.expires_at) "
    "where reply_sessions.channel = excluded.channel"
)
_CONTACT_FIELDS = {
    "person_id", "revision", "name", "phones", "emails", "wecom_id", "preferred_channel", "language",
}  # fmt: skip


async def share_people(tx: AsyncSession) -> None:
    """Before anything about a person is written: waits for erasures under way, and is seen by those to come."""
    await tx.execute(_SHARE)


async def upsert_recipients(tx: AsyncSession, contacts: Iterable[ContactsChangedV1]) -> None:
    """Keep the highest revision of each; the erased stay erased. One statement."""
    newest: dict[UUID, ContactsChangedV1] = {}
    for each in contacts:
        if each.person_id not in newest or newest[each.person_id].revision < each.revision:
            newest[each.person_id] = each
    rows = [each.model_dump(mode="json", include=_CONTACT_FIELDS) for each in newest.values()]
    await tx.execute(_LEARN, {"rows": json_rows(rows)})


async def upsert_sessions(tx: AsyncSession, events: Iterable[ComplaintReceivedV1 | MessageAddedV1]) -> None:
    """Keep where the last of these conversations of each complaint takes an answer; the erased stay erased."""
    rows = [
        {
            "complaint_id": str(event.facts.complaint_id),
            "person_id": str(event.facts.customer.person_id),
            "channel": event.source.channel if isinstance(event, ComplaintReceivedV1) else event.channel,
            **event.reply.model_dump(mode="json"),
        }
        for event in events
        if event.reply is not None
    ]
    if rows:
        await tx.execute(_LEARN_SESSIONS, {"rows": json_rows(rows)})


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A conversation that its channel says takes no answer any more."""

    complaint_id: UUID
    person_id: UUID
    channel: Channel
    account: str
    address: str


async def close_sessions(tx: AsyncSession, ended: Sequence[EndedSession], now: datetime) -> None:
    """No answer goes there until a later word of the customer opens it again. After `share_people`."""
    rows = [
        {
            "complaint_id": str(each.complaint_id),
            "person_id": str(each.person_id),
            "channel": each.channel,
            "account": each.account,
            "address": each.address,
        }
        for each in ended
    ]
    await tx.execute(_CLOSE_SESSIONS, {"rows": json_rows(rows), "now": now})


async def release_waiting(tx: AsyncSession, person_ids: Sequence[UUID], now: datetime) -> None:
    """What waited for these contacts is due now."""
    await tx.execute(_RELEASE, {"people": sorted(set(person_ids)), "now": now})


async def erase(tx: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Forget these people: contacts, preferences, and whatever messages say of them."""
    await tx.execute(_ALONE)
    people = sorted(set(person_ids))
    await tx.execute(upsert(erasures).values([{"person_id": one} for one in people]).on_conflict_do_nothing())
    await tx.execute(delete(recipients).where(recipients.c.person_id.in_(people)))
    await tx.execute(delete(preferences).where(preferences.c.person_id.in_(people)))
    await tx.execute(delete(reply_sessions).where(reply_sessions.c.person_id.in_(people)))
    await tx.execute(_REDACT, {"people": people})


_REDACT = text(
    """
    update messages set
      status = case when audience = 'complainant' and status in ('queued', 'waiting') then 'withdrawn' else status end,
      redacted = redacted or audience = 'complainant' or lease is not null or status not in ('queued', 'waiting'),
      params = case when audience = 'complainant' then '{}'::jsonb else params || '{"customer": ""}' end,
      facts = jsonb_set(facts, '{customer,display}', '""'),
      recipient = case when audience = 'complainant' then '' else recipient end,
      recipient_key = case when audience = 'complainant' then '' else recipient_key end,
      subject = '', text = ''
    where person_id = any(cast(:people as uuid[]))
    """
)


async def erased(tx: AsyncSession, person_id: UUID) -> bool:
    return bool(await tx.scalar(select(exists().where(erasures.c.person_id == person_id))))


async def lock_preference(tx: AsyncSession, person_id: UUID) -> None:
    """One at a time for this person; there need not be a row to lock."""
    await tx.execute(_LOCK_PREFERENCE, {"person": str(person_id)})


async def recipient_preference(tx: AsyncSession, person_id: UUID) -> tuple[Preference, int]:
    """The preference and its version, 0 where none was ever set."""
    row = (await tx.execute(select(preferences).where(preferences.c.person_id == person_id))).one_or_none()
    return (Preference(), 0) if row is None else (preference_of(row.channel, row.language), row.version)


async def put_preference(
    tx: AsyncSession, person_id: UUID, preference: Preference, version: int, now: datetime, by: str
) -> None:
    values: dict[str, Any] = {
        "channel": preference.channel,
        "language": preference.language,
        "version": version,
        "changed_at": now,
        "changed_by": by,
    }
    statement = upsert(preferences).values(person_id=person_id, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["person_id"], set_=values))


def preference_of(channel: str | None, language: str | None) -> Preference:
    return Preference(Channel(channel) if channel else None, Language(language) if language else None)


async def upsert_teams(tx: AsyncSession, changed: Iterable[TeamChangedV1]) -> None:
    """Keep the highest revision of each team. One statement."""
    newest: dict[str, TeamChangedV1] = {}
    for each in changed:
        if each.team_id not in newest or newest[each.team_id].revision < each.revision:
            newest[each.team_id] = each
    statement = upsert(teams).values(
        [
            {
                "team_id": team.team_id,
                "revision": team.revision,
                "people": {
                    role: person.model_dump(mode="json")
                    for role in ("contact", "lead", "manager", "executive")
                    if (person := getattr(team, role)) is not None
                },
            }
            for _, team in sorted(newest.items())
        ]
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["team_id"],
            set_={"revision": statement.excluded.revision, "people": statement.excluded.people},
            where=statement.excluded.revision > teams.c.revision,
        )
    )


async def teams_by_id(tx: AsyncSession, team_ids: Iterable[str]) -> dict[str, Team]:
    rows = await tx.execute(select(teams).where(teams.c.team_id.in_(sorted(set(team_ids)))))
    return {
        row.team_id: Team(row.team_id, {role: StaffContact(**person) for role, person in row.people.items()})
        for row in rows
    }
