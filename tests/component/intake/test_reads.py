"""What the doors read is what their messages name, however much there is, with PostgreSQL's statistics or without."""

from typing import Any

import pytest
from sqlalchemy import text

from intake_service.domain.message import MessageSource
from intake_service.domain.person import IdentityKind
from intake_service.store import receipts
from intake_service.store import reception as store
from shared.contracts.vocabulary import Channel
from tests.component.intake.test_messages import send

MANY = 2_000
ACCOUNT = "help@shop.example"
_READ = text("select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables")
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
    "receipts": "'id', md5('r' || n)::uuid, 'message_id', 'm' || n, 'thread_id', 't' || n, "
    "'complaint_id', md5('c' || n)::uuid",
}


@pytest.mark.parametrize("known", [False, True], ids=["without statistics", "with statistics"])
async def test_what_a_batch_reads_does_not_grow_with_what_there_is(intake, known: bool) -> None:
    await send(intake)
    await intake.run(*(_COPY.format(table=table, keys=keys, many=MANY) for table, keys in _COPIES.items()))
    if known:
        await intake.run(*(f"analyze {table}" for table in _COPIES))
    named = [("email", ACCOUNT, f"m{n}") for n in range(1, 11)]
    threads = [(f"new-{n}", f"t{n}", f"m{n}") for n in range(1, 11)]
    sources = [
        MessageSource(channel=Channel.EMAIL, account=ACCOUNT, message_id=new, thread_id=thread, reply_to=answered)
        for new, thread, answered in threads
    ]
    found: dict[str, Any] = {}
    async with intake.database.session() as tx:
        found["threads"] = await receipts.find_threads(tx, sources)
        assert await receipts.is_known(tx, named)
        assert not await receipts.is_known(tx, [source.key for source in sources])
        found["keys"] = await receipts.find_by_keys(tx, named)
        found["elsewhere"] = await receipts.find_elsewhere(tx, named)
        found["deliveries"] = await store.find_deliveries(tx, named)
        found["persons"] = await store.find_persons(tx, [(IdentityKind.EMAIL, f"x{n}") for n in range(1, 11)])
        rows = await tx.execute(_READ)
        read = {row.relname: row.read for row in rows}
    assert [len(each) for each in found["threads"]] == [1] * 10
    assert [len(each) for name, each in found.items() if name != "threads"] == [10, 10, 10, 10]
    assert sum(read.values()) < 300, read
