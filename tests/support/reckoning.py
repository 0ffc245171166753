"""The reckoning after the chaos: what was acknowledged is there, everywhere, and once."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import SERVICES, TOPICS
from shared.contracts.intake import CONTACTS_TOPIC
from tests.support.house import PARTITIONS, House

#: Rows of one complaint that must be one, by what they are.
ONCE = {
    "intake has it": "select id from intake.complaints",
    "it is classified": "select complaint_id from triage.classifications",
    "it is assigned": "select complaint_id from triage.assignments",
    "it has a case, acknowledged and assessed": "select id from resolution.cases where state = 'assessed' "
    "and acknowledged_at is not null and assessed_at is not null",
    "its receipt is acknowledged by a text message": "select complaint_id from notify.messages "
    "where purpose = 'acknowledgement' and status = 'delivered' and means = 'sms'",
    "the delivery is told": "select complaint_id from insight.archive "
    "where type = 'redress.message.delivered.v1' and facts->>'purpose' = 'acknowledgement'",
    "its first response was in time": "select subject_id from sla.clocks "
    "where metric = 'first_response' and status = 'fulfilled' and on_time",
    "the deadline of its resolution runs": "select subject_id from sla.clocks "
    "where metric = 'resolution' and status = 'running'",
    "the case shows its first response": "select complaint_id from resolution.clocks "
    "where view->>'metric' = 'first_response' and status = 'fulfilled'",
    "insight counts it": "select complaint_id from insight.complaints",
}
#: What one service decided, and what another has heard of it: the same rows.
AGREED = {
    "intake knows the case's state": (
        "select id, revision, state from resolution.cases",
        "select complaint_id, state_revision, state from intake.outcomes",
    ),
    "feedback knows the case's state": (
        "select id, revision, state from resolution.cases",
        "select complaint_id, move_revision, state from feedback.cases",
    ),
    "insight knows the case's state": (
        "select id, revision, state from resolution.cases",
        "select complaint_id, move_revision, state from insight.complaints",
    ),
    "the case knows its assignment": (
        "select complaint_id, assignment_revision, agent_id from triage.cases",
        "select id, assignment_revision, agent_id from resolution.cases",
    ),
    "the case knows its clocks": (
        "select clock_id, revision, status from sla.clocks where not void and revision > 0",
        "select clock_id, revision, status from resolution.clocks",
    ),
}
#: An event of a type tells of this, at most once.
_TOLD = (
    "select type, complaint_id, coalesce(facts->'clock'->>'clock_id', facts->>'message_id'), facts->>'revision', "
    "count(*) from insight.archive where complaint_id is not null group by 1, 2, 3, 4 having count(*) > 1"
)


async def wrong_with(house: House, complaints: Collection[str]) -> dict[str, Any]:
    """What does not hold of these complaints; empty when nothing was lost and nothing doubled."""
    found: dict[str, Any] = {}
    wanted = Counter(complaints)
    for what, query in ONCE.items():
        there = Counter(str(row[0]) for row in await house.rows(query) if str(row[0]) in wanted)
        if there != wanted:
            found[what] = {"missing": len(wanted - there), "too many": len(there - wanted)}
    for what, (decided, heard) in AGREED.items():
        if differing := set(await house.rows(decided)) ^ set(await house.rows(heard)):
            found[what] = sorted(map(str, differing))[:5]
    patterns = Counter(
        row[1]
        for row in await house.rows(
            "select subject_id, array_agg(metric || ' ' || cycle || ' ' || status order by metric, cycle)::text "
            "from sla.clocks where not void and revision > 0 group by 1"
        )
        if str(row[0]) in wanted
    )
    if len(patterns) > 1:
        found["their clocks differ"] = patterns
    if doubled := await house.rows(_TOLD):
        found["told twice"] = doubled[:5]
    if clocks := await house.rows(
        "select history_id, metric, subject_id, cycle, count(*) from sla.clocks where not void and revision > 0 "
        "group by 1, 2, 3, 4 having count(*) > 1"
    ):
        found["clocks twice"] = clocks[:5]
    if letters := await house.dead_letters():
        found["dead letters"] = letters[:5]
    for name in SERVICES:
        for table in ("outbox", "inbox_started", "inbox_attempts"):
            if left := await house.one(f"select count(*) from {name}.{table}"):  # noqa: S608
                found[f"{name}.{table}"] = left
    published, records = await _published(house)
    archived = {str(row[0]) for row in await house.rows("select event_id from insight.archive")}
    if published != archived:
        found["archive"] = {"missing": len(published - archived), "never published": len(archived - published)}
    found |= {} if records >= len(published) else {"topics": "fewer records than events"}
    return found


async def _published(house: House) -> tuple[set[str], int]:
    """The ids of all events on the topics, and how many records they are (what was sent again counts again)."""
    partitions = [TopicPartition(t, n) for t in TOPICS if t != CONTACTS_TOPIC for n in range(PARTITIONS)]
    # "earliest" rather than a seek: the client's own reset, to the end by default, may come after it.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=house.broker.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        ids: set[str] = set()
        records = 0
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    ids.add(dict(record.headers)["ce_id"].decode())
                    records += 1
        return ids, records
    finally:
        await consumer.stop()
