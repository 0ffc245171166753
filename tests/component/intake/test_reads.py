"""What the doors read is what their messages name, however much there is, with PostgreSQL's statistics or without."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import MessageSource
from intake_service.domain.person import IdentityKind
from intake_service.store import receipts
from intake_service.store import reception as store
from shared.contracts.vocabulary import Channel
from shared.db import Database
from shared.web.idempotency import Once, replay_many
from tests.component.intake.test_messages import send

MANY = 2_000
ACCOUNT = "help@shop.example"
_READ = text(
    "select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables "
    "where schemaname = current_schema() and seq_tup_read + coalesce(idx_tup_fetch, 0) > 0"
)
_FORGET = text(
    "delete from pg_statistic where starelid in (select oid from pg_class where relnamespace = 'intake'::regnamespace)"
)
#: Copies of the first row of a table under other keys.
_COPY = (
    "insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(one) || jsonb_build_object({keys}))).* "
    "from (select * from {table} limit 1) one, generate_series(1, {many}) n"
)
_COPIES = {
    "persons": "'id', md5('p' || n)::uuid",
    "identities": "'value', 'x' || n, 'person_id', md5('p' || n)::uuid",
    "complaints": "'id', md5('c' || n)::uuid, 'number', 'N' || n, 'message_id', 'm' || n, "
    "'person_id', md5('p' || n)::uuid",
    "idempotency_keys": "'principal', 'adapter:a', 'key', 'k' || n",
    "receipts": "'id', md5('r' || n)::uuid, 'message_id', 'm' || n, 'thread_id', 't' || n, "
    "'complaint_id', md5('c' || n)::uuid",
}


NAMED: list[NaturalKey] = [("email", ACCOUNT, f"m{n}") for n in range(1, 11)]
SOURCES = [
    MessageSource(channel=Channel.EMAIL, account=ACCOUNT, message_id=f"new-{n}", thread_id=f"t{n}", reply_to=f"m{n}")
    for n in range(1, 11)
]
IDENTITIES = [(IdentityKind.EMAIL, f"x{n}") for n in range(1, 11)]


async def looked_up(tx: AsyncSession) -> dict[str, int]:
    """How many each look-up of a batch finds."""
    persons = await store.find_persons(tx, IDENTITIES)
    return {
        "known": await receipts.is_known(tx, NAMED),
        "new": await receipts.is_known(tx, [source.key for source in SOURCES]),
        "threads": sum(map(len, await receipts.find_threads(tx, SOURCES))),
        "keys": len(await receipts.find_by_keys(tx, NAMED)),
        "elsewhere": len(await receipts.find_elsewhere(tx, NAMED)),
        "deliveries": len(await store.find_deliveries(tx, NAMED)),
        "persons": len(persons),
        "locked": len(await store.lock_persons(tx, persons.values())),
        "earlier": sum((await store.count_complaints(tx, persons.values())).values()),
        "answers": len(await replay_many(tx, [Once("adapter:a", f"k{n}", b"") for n in range(1, 11)])),
    }


async def forget_statistics(admin_url: str) -> None:
    """What the tests before have taught PostgreSQL stays with the columns when a table is emptied."""
    admin = Database(admin_url, "public", application_name="test")
    async with admin.session() as tx:
        await tx.execute(_FORGET)
    await admin.close()


@pytest.mark.parametrize("known", [False, True], ids=["without statistics", "with statistics"])
async def test_what_a_batch_reads_does_not_grow_with_what_there_is(intake, admin_url: str, known: bool) -> None:
    # As on a new installation: PostgreSQL knows nothing of the tables, and does not learn meanwhile.
    await intake.run(*(f"alter table {table} set (autovacuum_enabled = false)" for table in _COPIES))
    await forget_statistics(admin_url)
    await intake.run(f"truncate {', '.join(_COPIES)} cascade")
    await send(intake, headers={"Idempotency-Key": "first"})
    for _ in range(6):  # from then on PostgreSQL keeps its plan: that of small tables
        async with intake.database.session() as tx:
            await looked_up(tx)
    await intake.run(*(_COPY.format(table=table, keys=keys, many=MANY) for table, keys in _COPIES.items()))
    if known:
        await intake.run(*(f"analyze {table}" for table in _COPIES))
    async with intake.database.session() as tx:
        found = await looked_up(tx)
        read = {row.relname: row.read for row in await tx.execute(_READ)}
    await intake.run(*(f"alter table {table} reset (autovacuum_enabled)" for table in _COPIES))
    assert found == {**dict.fromkeys(found, 10), "known": True, "new": False}
    assert sum(read.values()) < 400, read
