"""A sla-service with very many armed clocks: some complaints are heard by the service's own use cases, then their rows
are copied, each copy with ids of its own. So what stands in the tables is what the service would have written; the
benchmark has a sample of it folded anew to show that.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Table, text

from shared.clock import SimulatedClock
from shared.contracts.envelope import Actor, ActorKind, Bilingual, ComplaintFacts, CustomerRef, StaffContact
from shared.contracts.intake import ComplaintReceivedV1, Source
from shared.contracts.triage import ComplaintAssignedV1, TeamChangedV1
from shared.contracts.vocabulary import Channel, Priority, Urgency
from shared.db import Database
from shared.ids import derived_id, new_id
from sla_service.settings import Settings
from sla_service.store.tables import clocks, facts, histories
from sla_service.usecases import Deps, hear, policies, timers

ACTOR = Actor(kind=ActorKind.SYSTEM, id="bench")
#: What the default policies allow for the first response at high urgency, and when they warn.
ALLOWED = timedelta(minutes=15)
WARNED = timedelta(minutes=3)
#: Of every complaint: first response, resolution, progress.
CLOCKS = 3
_CHUNK = 5_000


def _person(staff_id: str, name: str) -> StaffContact:
    return StaffContact(staff_id=staff_id, name=name, email=f"{staff_id}@example.com", phone="13800001234")


class Writer:
    """Writes into the schema of a sla-service that need not run."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SimulatedClock(datetime.fromisoformat("2024-05-10T00:00:00Z"))
        settings = Settings(database_url=database.url)
        self.deps = Deps(database.session, database.reading, self.clock, new_id, settings)
        self._serial = 0

    async def prepare(self) -> None:
        """The default policies, and the team that handles everything."""
        await policies.seed_pack(self.deps)
        team = TeamChangedV1(
            event_id=new_id(),
            occurred_at=self.clock.now(),
            recorded_at=self.clock.now(),
            actor=ACTOR,
            team_id="hotline",
            revision=1,
            name=Bilingual(zh="热线组", en="Hotline"),
            kind="team",
            contact=_person("wang", "王工"),
            lead=_person("zhao", "赵组长"),
            manager=_person("qian", "钱经理"),
            members=(_person("li", "李工"),),
            executive=_person("chen", "陈总"),
        )
        async with self.database.session() as tx:
            await hear.learn_roster([team], tx, self.deps)

    async def hear(self, received: Sequence[datetime], urgency: Urgency, now: datetime) -> list[UUID]:
        """Complaints received at these instants and given to an agent, as the service stands at `now`: it has warned
        of what it had to by then. Their ids."""
        self.clock = SimulatedClock(now)
        self.deps = Deps(self.database.session, self.database.reading, self.clock, new_id, self.deps.settings)
        ids = []
        for start in range(0, len(received), 200):
            events: list[ComplaintReceivedV1 | ComplaintAssignedV1] = []
            for at in received[start : start + 200]:
                complaint = self._complaint(at, urgency)
                ids.append(complaint.complaint_id)
                events += _received(complaint)
            async with self.database.session() as tx:
                await hear.learn(events, tx, self.deps)
        await self.clock.advance_to(now + timedelta(seconds=self.deps.settings.late_grace_seconds))
        while await timers.fire_due(self.deps):
            pass
        return ids

    def _complaint(self, at: datetime, urgency: Urgency) -> ComplaintFacts:
        self._serial += 1
        return ComplaintFacts(
            complaint_id=new_id(),
            number=f"C-{at:%Y%m%d}-{self._serial:06d}",
            received_at=at,
            channel=Channel.HOTLINE,
            urgency=urgency,
            customer=CustomerRef(person_id=new_id(), display=f"138****{self._serial % 10_000:04d}"),
            organisation=f"晨光网店有限公司{self._serial:08d}",
            product="订单管理系统",
            region="华东",
        )

    async def copy(self, templates: Sequence[UUID], times: int) -> None:
        """So many copies of each complaint, the copies of one instant beside each other as they would have come."""
        for start in range(0, len(templates), max(1, _CHUNK // times)):
            some = templates[start : start + max(1, _CHUNK // times)]
            await self._copy([one for one in some for _ in range(times)])

    async def _copy(self, templates: Sequence[UUID]) -> None:
        async with self.database.session() as tx:
            query = text("select * from clocks where history_id = any(:ids)")
            kept: dict[UUID, list[tuple[UUID, str, str, int]]] = {}
            for row in (await tx.execute(query, {"ids": list(set(templates))})).all():
                kept.setdefault(row.history_id, []).append((row.clock_id, row.subject, row.metric, row.cycle))
            made = [new_id() for _ in templates]
            numbers = [f"K-{self._serial + n:09d}" for n in range(len(templates))]
            self._serial += len(templates)
            told = {"made": made, "templates": list(templates), "numbers": numbers}
            await tx.execute(_HISTORIES, told)
            await tx.execute(_FACTS, told)
            copies = [
                (template, derived_id("clock", subject, history, metric, cycle, "service"), history)
                for history, of in zip(made, templates, strict=True)
                for template, subject, metric, cycle in kept[of]
            ]
            columns = map(list, zip(*copies, strict=True))
            await tx.execute(_CLOCKS, dict(zip(("templates", "made", "histories"), columns, strict=True)))


def _received(complaint: ComplaintFacts) -> list[ComplaintReceivedV1 | ComplaintAssignedV1]:
    at = complaint.received_at
    return [
        ComplaintReceivedV1(
            event_id=new_id(),
            occurred_at=at,
            recorded_at=at,
            actor=ACTOR,
            facts=complaint,
            priority=Priority.URGENT,
            source=Source(channel=complaint.channel, account="4008001234"),
            symptom="订单管理系统查询近7天订单时加载失败",
        ),
        ComplaintAssignedV1(
            event_id=new_id(),
            occurred_at=at,
            recorded_at=at,
            actor=ACTOR,
            facts=complaint,
            revision=1,
            team_id="hotline",
            team_name=Bilingual(zh="热线组", en="Hotline"),
            agent=_person("li", "李工"),
            reasons=(),
            by="rules",
        ),
    ]


def _copying(table: Table, source: str, **replaced: str) -> str:
    """`insert … select` of a table's own rows `o`, joined to `n`, with some columns replaced."""
    names = [column.name for column in table.columns]
    values = [replaced.get(name, f"o.{name}") for name in names]
    return f"insert into {table.name} ({', '.join(names)}) select {', '.join(values)} from {source}"


_OF_COMPLAINTS = (
    "unnest(cast(:made as uuid[]), cast(:templates as uuid[]), cast(:numbers as text[])) "
    "with ordinality as n (made, template, number, place)"
)
_HISTORIES = text(
    _copying(
        histories,
        f"{_OF_COMPLAINTS} join histories o on o.history_id = n.template order by n.place",
        history_id="n.made",
        complaint="o.complaint || jsonb_build_object('complaint_id', n.made, 'number', n.number)",
    )
)
_FACTS = text(
    _copying(
        facts,
        f"{_OF_COMPLAINTS} join facts o on o.history_id = n.template order by n.place",
        fact_id="gen_random_uuid()",
        history_id="n.made",
    )
)
_CLOCKS = text(
    _copying(
        clocks,
        "unnest(cast(:made as uuid[]), cast(:templates as uuid[]), cast(:histories as uuid[])) "
        "with ordinality as n (made, template, history, place) join clocks o on o.clock_id = n.template "
        "order by n.place",
        clock_id="n.made",
        history_id="n.history",
        subject_id="n.history",
    )
)
