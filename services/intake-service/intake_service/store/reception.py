"""The hot write: one statement per table for a whole batch of complaints, over asyncpg's `unnest`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.complaint import NaturalKey
from intake_service.domain.person import Identity, Person
from intake_service.domain.receipt import Receipt
from intake_service.store.bulk import arrays_of, insert_of, update_of
from intake_service.store.rows import contacts_document, person_of, receipt_of
from intake_service.store.tables import complaints, identities, persons

# A limit within `lateral` makes it a look at the key of each. Joined, a statement that was prepared while the table was
# small goes on reading all of it until PostgreSQL has statistics.
_FIND_PERSONS = text(
    "select w.kind, w.value, i.person_id from unnest(cast(:kinds as smallint[]), cast(:values as text[])) "
    "as w (kind, value) cross join lateral ("
    "select person_id from identities where kind = w.kind and value = w.value limit 1) as i"
)
_LOCK_PERSONS = text(
    "select p.* from unnest(cast(:ids as uuid[])) as w (id) cross join lateral ("
    "select * from persons where id = w.id limit 1 for no key update) as p"
)
_COUNT_EARLIER = text(
    "select w.id, c.earlier from unnest(cast(:ids as uuid[])) as w (id) cross join lateral ("
    "select count(*) as earlier from complaints where person_id = w.id) as c"
)
_FIND_DELIVERIES = text(
    "select c.* from unnest(cast(:channels as text[]), cast(:accounts as text[]), cast(:messages as text[])) "
    "as w (channel, account, message_id) cross join lateral (select * from complaints "
    "where (channel, account, message_id) = (w.channel, w.account, w.message_id) limit 1) as c"
)
_TAKE_NUMBERS = text(
    "insert into number_days as n (day, last) values (:day, :count) "
    "on conflict (day) do update set last = n.last + excluded.last returning last"
)
#: SQLSTATE classes: data, constraints, triggered actions, transaction rollback (deadlock), raised by PL/pgSQL.
_OF_THE_DATA = frozenset({"22", "23", "27", "40", "44", "54", "P0"})


class ComplaintRow(NamedTuple):
    """One row of `complaints`, in the order of the insert; JSON as text."""

    id: UUID
    number: str
    person_id: UUID
    customer: str
    channel: str
    account: str
    seat: str | None
    message_id: str | None
    kind: str
    priority: str
    received_at: datetime
    recorded_at: datetime
    happened_at: datetime | None
    made_at: datetime | None
    recorded_by: str
    organisation: str | None
    product: str | None
    region: str | None
    record: str
    missing: str
    earlier_complaints: int
    spam: str | None
    spam_listed: bool


_PERSON = ("id", "revision", "name", "contacts", "organisation", "account_id", "preferred_channel", "language", "level")
_INSERT_PERSONS = insert_of(persons, (*_PERSON, "created_at"))
_UPDATE_PERSONS = update_of(persons, _PERSON)
_INSERT_IDENTITIES = insert_of(identities, ("kind", "value", "person_id"), "on conflict do nothing")
_INSERT_COMPLAINTS = insert_of(
    complaints, ComplaintRow._fields, "on conflict (channel, account, message_id) do nothing"
)


class Counted(NamedTuple):
    """What is to be added to the count of an account, with the complaints that a batch makes."""

    channel: str
    account: str
    direct: int
    repeated: int


_SLOT = len(ComplaintRow._fields) + 1
#: In the same statement as the complaints: the hot door sends none more.
_COUNT_AND_INSERT_COMPLAINTS = (
    "with counted as (insert into delivery_counts as c "  # noqa: S608
    "(channel, account, slot, written, repeated, direct, last_at) "
    f"select w.channel, w.account, ${_SLOT}::smallint, 0, w.repeated, w.direct, ${_SLOT + 1}::timestamptz "
    f"from unnest(${_SLOT + 2}::text[], ${_SLOT + 3}::text[], ${_SLOT + 4}::bigint[], ${_SLOT + 5}::bigint[]) "
    "as w (channel, account, direct, repeated) order by w.channel, w.account "
    "on conflict (channel, account, slot) do update set repeated = c.repeated + excluded.repeated, "
    "direct = c.direct + excluded.direct, last_at = greatest(c.last_at, excluded.last_at)) "
) + _INSERT_COMPLAINTS


async def find_persons(tx: AsyncSession, identities: Sequence[Identity]) -> dict[Identity, UUID]:
    """Who is known by which of these identities."""
    found = await tx.execute(
        _FIND_PERSONS, {"kinds": [kind for kind, _ in identities], "values": [value for _, value in identities]}
    )
    return {(kind, value): person_id for kind, value, person_id in found}


async def lock_persons(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Person]:
    """The persons as they are now, locked in order until the commit against change and erasure."""
    found = await tx.execute(_LOCK_PERSONS, {"ids": sorted(ids)})
    return {row["id"]: person_of(row) for row in found.mappings()}


async def count_complaints(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, int]:
    found = await tx.execute(_COUNT_EARLIER, {"ids": list(ids)})
    return {row.id: row.earlier for row in found}


async def find_deliveries(tx: AsyncSession, keys: Sequence[NaturalKey]) -> dict[NaturalKey, Receipt]:
    """What was answered to these deliveries when they came first (A8)."""
    if not keys:
        return {}
    channels, accounts, messages = zip(*keys, strict=True)
    found = await tx.execute(
        _FIND_DELIVERIES, {"channels": list(channels), "accounts": list(accounts), "messages": list(messages)}
    )
    return {(row["channel"], row["account"], row["message_id"]): receipt_of(row) for row in found.mappings()}


async def take_numbers(tx: AsyncSession, day: str, count: int) -> int:
    """Take the next `count` serials of `day`; answers with the last of them."""
    # Losing this commit alone is impossible: whoever flushes a complaint with one of the numbers flushes it too.
    await tx.execute(text("set local synchronous_commit = off"))
    last: int = (await tx.execute(_TAKE_NUMBERS, {"day": day, "count": count})).scalar_one()
    return last


def is_of_the_data(error: Exception) -> bool:
    """Whether `error` comes from what was to be written, so that without it the rest can be: a constraint, a value, a
    rule of a trigger, a deadlock. Everything else (no connection, no space, shutting down) is of the database."""
    while isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        error = error.orig
    state = getattr(error, "sqlstate", None)
    return str(state)[:2] in _OF_THE_DATA if state else isinstance(error, ValueError)


async def insert_persons(driver: Any, created: Sequence[Person]) -> None:
    if created:
        await driver.execute(_INSERT_PERSONS, *_person_columns(created), [person.created_at for person in created])


async def update_persons(driver: Any, changed: Sequence[Person]) -> None:
    if changed:
        await driver.execute(_UPDATE_PERSONS, *_person_columns(changed))


async def insert_identities(driver: Any, owners: Sequence[tuple[int, str, UUID]]) -> bool:
    """False where another transaction was first with one of them."""
    if not owners:
        return True
    return _all_written(await driver.execute(_INSERT_IDENTITIES, *arrays_of(sorted(owners))), len(owners))


async def insert_complaints(
    driver: Any, rows: Sequence[ComplaintRow], counted: Sequence[Counted], slot: int, at: datetime
) -> bool:
    """And count them, where there is something `counted`. False where another transaction was first with one of the
    deliveries."""
    if not counted:
        return _all_written(await driver.execute(_INSERT_COMPLAINTS, *arrays_of(rows)), len(rows))
    columns = (*arrays_of(rows), slot, at, *arrays_of(counted))
    return _all_written(await driver.execute(_COUNT_AND_INSERT_COMPLAINTS, *columns), len(rows))


def _person_columns(people: Sequence[Person]) -> list[list[Any]]:
    return arrays_of(
        [
            (
                person.id,
                person.revision,
                person.name,
                to_json(contacts_document(person.contacts)).decode(),
                person.organisation,
                person.account_id,
                person.preferred_channel,
                person.language,
                person.level,
            )
            for person in people
        ]
    )


def _all_written(tag: str, expected: int) -> bool:
    """Whether PostgreSQL's command tag (`INSERT 0 3`) tells of as many rows."""
    return int(tag.rpartition(" ")[2]) == expected
