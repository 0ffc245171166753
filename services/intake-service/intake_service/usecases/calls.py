"""Calls of the hotline: what the telephone system tells of them, their records, and those without one (A1, A8)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.channels.cti import CallEvent, due_before, limits
from intake_service.channels.webhook import Signature
from intake_service.domain import calls as rules
from intake_service.domain.calls import Call, Dismiss, Dismissed
from intake_service.domain.complaint import Fault
from intake_service.domain.contacts import Contacts
from intake_service.domain.person import IdentityKind, Stated, contacts_changed
from intake_service.domain.record import NewComplaint
from intake_service.domain.views import CallView, ComplaintRef
from intake_service.store import calls as store
from intake_service.store import channels as channel_store
from intake_service.store import persons, reception
from intake_service.store.bulk import driver_of
from intake_service.usecases.channels import current, principal_of
from intake_service.usecases.deps import Deps
from intake_service.usecases.doors import signed_by
from intake_service.usecases.errors import CallHasRecord, NoSuchCall
from intake_service.usecases.reception import impossible
from shared.bus import outbox
from shared.contracts.envelope import Actor
from shared.contracts.vocabulary import Channel
from shared.web.auth import Principal
from shared.web.body import JsonBody

_EVENT = JsonBody(CallEvent)
Position = tuple[datetime, UUID]


async def hear_call(channel_id: str, signature: Signature, body: bytes, deps: Deps) -> CallView:
    """The call as it is known by now, in whatever order its events come and however often.

    Raises what `signed_by` raises, `Invalid` with pointers, `ImpossibleRecord`.
    """
    spec = (await signed_by("cti", channel_id, signature, body, deps)).spec
    event, now = _EVENT.parse(body), deps.clock.now()
    if event.at > now + timedelta(seconds=deps.settings.clock_skew_seconds):
        raise impossible([Fault("/at", "must not be in the future")])
    first = {
        "id": deps.ids(),
        "channel_id": channel_id,
        "account": spec.account,
        "call_id": event.call_id,
        "heard_at": now,
        "last_at": event.at,
    }
    within = await _limits(deps)
    async with deps.session() as tx:
        row = await store.hold(tx, first)
        call = rules.merged(store.call_of(row), event.call.with_number(deps.settings.phone_region))
        record = await store.record_of(tx, spec.account, event.call_id)
        if row["erased_at"] is not None or (record is not None and record["erased_at"] is not None):
            call = call.without_person()
        elif record is not None:
            await _tell_number(tx, record["person_id"], call, principal_of(spec).actor, deps)
        await store.write(tx, row["id"], call, None if record is None else record["id"])
        await channel_store.heard(tx, channel_id, now)
        return _view(await _row(tx, row["id"]), within)


async def _tell_number(tx: AsyncSession, person_id: UUID, call: Call, actor: Actor, deps: Deps) -> None:
    """The record was there before the call: its person has the caller's number from now on, where they had none and
    the number is nobody else's."""
    person = await persons.lock(tx, person_id)
    if person is None or person.erased_at is not None or person.contacts.phones or (phone := call.phone) is None:
        return
    driver = await driver_of(tx)
    if await reception.insert_identities(driver, [(IdentityKind.PHONE, phone, person.id)]):
        known = person.learn(Stated(contacts=Contacts(phones=(phone,))))
        await reception.update_persons(driver, [known])
        outbox.add(tx, contacts_changed(known, deps.ids(), deps.clock.now(), actor))


async def with_call(record: NewComplaint, deps: Deps) -> NewComplaint:
    """The record that a seat typed of a call, completed by what is known of the call. A house without a telephone
    system among its channels pays nothing for it."""
    stated = record.channel
    if stated.channel is not Channel.HOTLINE or stated.message_id is None:
        return record
    kinds = {(kept.spec.kind, kept.spec.account) for kept in (await current(deps)).values() if kept.spec.enabled}
    if ("cti", stated.account) not in kinds:
        return record
    async with deps.reading() as tx:
        row = await store.find(tx, stated.account, stated.message_id)
    return record if row is None else rules.completed(record, store.call_of(row), deps.clock.now())


async def call_of_record(tx: AsyncSession, channel: str, account: str, message_id: str | None) -> RowMapping | None:
    if channel != Channel.HOTLINE or message_id is None:
        return None
    return await store.find(tx, account, message_id)


async def list_calls(
    channel_id: str | None,
    complaint: UUID | str | None,
    without_record: bool,
    after: Position | None,
    limit: int,
    deps: Deps,
) -> Sequence[CallView]:
    """The latest first; `without_record` wants those that must have one by now and have not."""
    specs = [kept.spec for kept in (await current(deps)).values()]
    before = due_before(specs, deps.clock.now()) if without_record else None
    async with deps.reading() as tx:
        rows = await store.page_of(
            tx, channel_id=channel_id, complaint=complaint, without_record=before, after=after, limit=limit
        )
    within = limits(specs)
    return [_view(row, within) for row in rows]


async def dismiss_call(call_id: UUID, body: Dismiss, principal: Principal, deps: Deps) -> CallView:
    """It needs no record. A second time changes nothing. Raises `NoSuchCall`, `CallHasRecord`."""
    now, within = deps.clock.now(), await _limits(deps)
    async with deps.session() as tx:
        row = await _row(tx, call_id, alone=True)
        if row["record_id"] is not None:
            raise CallHasRecord(f"Complaint {row['number']} is its record.")
        if row["dismissed"] is None:
            dismissed = Dismissed(reason=body.reason, note=body.note, actor=principal.actor, at=now)
            await store.dismiss(tx, call_id, dismissed.model_dump(mode="json"), now)
        return _view(await _row(tx, call_id), within)


async def _row(tx: AsyncSession, call_id: UUID, *, alone: bool = False) -> RowMapping:
    row = await store.show(tx, call_id, alone=alone)
    if row is None:
        raise NoSuchCall("Look the id up in GET /v1/calls.")
    return row


async def _limits(deps: Deps) -> dict[str, timedelta]:
    """Of each channel. It may need a connection: not while a call is held, for all others may wait for the call."""
    return limits(kept.spec for kept in (await current(deps)).values())


async def view_of(row: RowMapping, deps: Deps) -> CallView:
    return _view(row, await _limits(deps))


def _view(row: RowMapping, within: Mapping[str, timedelta]) -> CallView:
    call = store.call_of(row)
    over_at = call.ended_at or call.last_at + rules.FORGOTTEN
    return CallView(
        **{name: row[name] for name in ("id", "channel_id", "account", "call_id", "heard_at")},
        caller=rules.masked_caller(call),
        seat=call.seat[1] if call.seat else None,
        rang_at=call.rang_at,
        started_at=call.started_at,
        ended_at=call.ended_at,
        duration_seconds=call.duration_seconds,
        recording_url=call.recording_url[1] if call.recording_url else None,
        due_at=over_at + within.get(row["channel_id"], timedelta()),
        complaint=ComplaintRef(id=row["record_id"], number=row["number"]) if row["record_id"] else None,
        dismissed=Dismissed.model_validate(row["dismissed"]) if row["dismissed"] else None,
    )
