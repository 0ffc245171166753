"""Events of the users' own case as a story: ``story.received("10:20")``. Times are Shanghai wall times of 2024-05-10,
or ``"05-11 09:00"``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.envelope import Actor, ActorKind, Bilingual, ComplaintFacts, CustomerRef, Event, StaffContact
from shared.contracts.feedback import FollowUpDoneV1, FollowUpPlannedV1
from shared.contracts.intake import ComplaintReceivedV1, MessageAddedV1, Source
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import (
    CaseMovedV1,
    CaseResolvedV1,
    ProgressToldV1,
    PromiseKeptV1,
    PromiseMadeV1,
    RegulatorStageRecordedV1,
    RegulatorStageTakenBackV1,
    TransferAnsweredV1,
    TransferCancelledV1,
    TransferOpenedV1,
    WrittenResult,
)
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, Reason
from shared.contracts.vocabulary import (
    CaseState,
    Channel,
    Emotion,
    Kind,
    Means,
    Metric,
    Priority,
    Purpose,
    RegulatorStage,
    Urgency,
    VisitOutcome,
)
from shared.ids import derived_id
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.fold import ClockState, Folded, fold
from sla_service.clocks.instants import instant_of
from sla_service.clocks.policy import Book, PolicySpec, PolicyVersion
from sla_service.domain.facts_of import better_facts, fact_of, history_of
from sla_service.usecases.packs import load_pack

SHANGHAI = ZoneInfo("Asia/Shanghai")
ACTOR = Actor(kind=ActorKind.SYSTEM, id="test")
RND = Bilingual(zh="研发部", en="R&D")
E = TypeVar("E", bound=Event)


def at(text: str) -> datetime:
    """``"10:20"``, ``"05-11 09:00"`` or ``"2024-12-31 23:00:05"``, Shanghai time."""
    day, _, clock = text.rpartition(" ")
    day = day or "05-10"
    day = day if len(day) == 10 else f"2024-{day}"
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def person(staff_id: str) -> StaffContact:
    return StaffContact(staff_id=staff_id, name=staff_id.title(), email=f"{staff_id}@example.com")


class Story:
    """One complaint's events. Ids derive from what is told, so the same story makes the same events."""

    def __init__(
        self,
        name: str = "story",
        received: str = "10:20",
        urgency: Urgency = Urgency.MEDIUM,
        level: str = "standard",
        channel: Channel = Channel.HOTLINE,
    ) -> None:
        self.name = name
        self.facts = ComplaintFacts(
            complaint_id=derived_id("complaint", name),
            number="C-20240510-000001",
            received_at=at(received),
            channel=channel,
            urgency=urgency,
            customer=CustomerRef(person_id=derived_id("person", name), display="138****1234", level=level),
        )
        self.events: list[Event] = []

    @property
    def id(self) -> UUID:
        return self.facts.complaint_id

    def ref(self, word: str) -> UUID:
        return derived_id(self.name, word)

    def _tell(self, contract: type[E], when: str, recorded: str | None = None, **more: Any) -> E:
        more.setdefault("facts", self.facts)
        event = contract(
            event_id=derived_id(self.name, contract.TYPE, when, len(self.events)),
            occurred_at=at(when),
            recorded_at=at(recorded or when),
            actor=ACTOR,
            **more,
        )
        self.events.append(event)
        return event

    def received(self, made: str | None = None) -> ComplaintReceivedV1:
        when = self.facts.received_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        return self._tell(
            ComplaintReceivedV1,
            when,
            priority=Priority.IMPORTANT,
            source=Source(channel=self.facts.channel, account="400"),
            symptom="load failure",
            made_at=at(made) if made else None,
        )

    def classified(
        self,
        when: str,
        urgency: Urgency,
        revision: int = 1,
        recorded: str | None = None,
        kind: Kind = Kind.COMPLAINT,
        tags: tuple[str, ...] = (),
    ) -> Event:
        self.facts = self.facts.model_copy(update={"urgency": urgency, "urgency_revision": revision})
        return self._tell(
            ComplaintClassifiedV1,
            when,
            recorded,
            revision=revision,
            kind=kind,
            issue_type="product.function",
            responsible="rnd",
            emotion=Emotion.CALM,
            confidence=0.9,
            reasons=tuple(Reason(rule=tag, weight=1.0, text=RND) for tag in tags),
            by="rules",
        )

    def assigned(self, when: str, team: str = "support", agent: str | None = "li", revision: int = 1) -> Event:
        return self._tell(
            ComplaintAssignedV1,
            when,
            revision=revision,
            team_id=team,
            team_name=Bilingual(zh="售后", en="Support"),
            agent=person(agent) if agent else None,
            reasons=(),
            by="rules",
        )

    def moved(self, when: str, to: CaseState, revision: int, cycle: int = 1, leaving: CaseState | None = None) -> Event:
        return self._tell(CaseMovedV1, when, revision=revision, cycle=cycle, from_state=leaving, to_state=to)

    def delivered(self, when: str, purpose: Purpose, cycle: int | None = None, audience: str = "complainant") -> Event:
        return self._tell(
            MessageDeliveredV1,
            when,
            message_id=derived_id(self.name, purpose.value, when),
            purpose=purpose,
            audience=audience,
            means=Means.SMS,
            recipient="138****1234",
            cycle=cycle,
        )

    def wrote(self, when: str, inbound: bool = True, recorded: str | None = None) -> Event:
        return self._tell(
            MessageAddedV1,
            when,
            recorded,
            message_id=derived_id(self.name, "message", when),
            inbound=inbound,
            channel=Channel.CHAT,
            text="…",
        )

    def became(self, level: str) -> None:
        """From the next event on the customer is of this level."""
        customer = self.facts.customer.model_copy(update={"level": level})
        self.facts = self.facts.model_copy(update={"customer": customer})

    def told(self, when: str) -> Event:
        return self._tell(ProgressToldV1, when, progress_id=self.ref(when), cycle=1, text="…")

    def resolved(self, when: str, cycle: int = 1) -> Event:
        result = WrittenResult(cause="…", measures="…", improvement="…", compensation="…")
        return self._tell(CaseResolvedV1, when, cycle=cycle, result=result)

    def transfer(self, when: str, task: str = "task", external: bool = False) -> Event:
        return self._tell(
            TransferOpenedV1,
            when,
            task_id=self.ref(task),
            team_id="rnd",
            team_name=RND,
            contact=person("wang"),
            ask="…",
            external=external,
        )

    def stage(self, when: str, stage: RegulatorStage, authority: str = "cn-12315") -> Event:
        return self._tell(RegulatorStageRecordedV1, when, stage_id=self.ref(when), authority=authority, stage=stage)

    def stage_taken_back(self, when: str, stage_of: str, stage: RegulatorStage, authority: str = "cn-12315") -> Event:
        stage_id = self.ref(stage_of)
        return self._tell(
            RegulatorStageTakenBackV1, when, stage_id=stage_id, authority=authority, stage=stage, reason="…"
        )

    def transfer_answered(self, when: str, task: str = "task", recorded: str | None = None) -> Event:
        return self._tell(TransferAnsweredV1, when, recorded, task_id=self.ref(task), team_id="rnd", answer="…")

    def transfer_cancelled(self, when: str, task: str = "task") -> Event:
        return self._tell(TransferCancelledV1, when, task_id=self.ref(task), team_id="rnd", reason="…")

    def promised(self, when: str, due: str) -> Event:
        return self._tell(PromiseMadeV1, when, promise_id=self.ref("promise"), text="…", due_at=at(due))

    def promise_kept(self, when: str) -> Event:
        return self._tell(PromiseKeptV1, when, promise_id=self.ref("promise"))

    def visit(self, when: str, cycle: int = 1) -> Event:
        return self._tell(
            FollowUpPlannedV1,
            when,
            visit_id=self.ref(f"visit{cycle}"),
            cycle=cycle,
            means="phone",
            earliest_at=at(when),
            due_at=at(when),
        )

    def visited(self, when: str, cycle: int = 1) -> Event:
        return self._tell(
            FollowUpDoneV1, when, visit_id=self.ref(f"visit{cycle}"), cycle=cycle, outcome=VisitOutcome.SATISFIED
        )


STANDARD, CALENDARS = load_pack("default")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
BOOK = Book(
    [PolicyVersion(spec=spec, version=1, valid_from=LONG_AGO) for spec in STANDARD],
    {(spec.calendar_id, 1): Calendar(spec) for spec in CALENDARS},
)


def book_with(*specs: dict[str, Any]) -> Book:
    """The default policies and these."""
    added = [PolicyVersion(spec=PolicySpec.model_validate(one), version=1, valid_from=LONG_AGO) for one in specs]
    standing = [PolicyVersion(spec=spec, version=1, valid_from=LONG_AGO) for spec in STANDARD]
    return Book([*standing, *added], BOOK.calendars)


def folded(story: Story, events: Sequence[Event] | None = None, book: Book = BOOK) -> Folded:
    """The fold of what the story told, or of these events of it, in this order."""
    told = story.events if events is None else events
    facts = story.facts
    known = None
    for event in told:
        of = history_of(event)[1]
        known = of if known is None or of is None else better_facts(known, of)
    found = {fact.fact_id: fact for fact in map(fact_of, told) if fact is not None}
    return fold(story.id, known or facts, list(found.values()), book)


def clock(story: Story, metric: Metric, cycle: int = 1, book: Book = BOOK) -> ClockState:
    (found,) = [one for one in folded(story, book=book).clocks if (one.run.metric, one.run.cycle) == (metric, cycle)]
    return found


def shown(value: int | None) -> str | None:
    """An instant as Shanghai sees it: ``"05-10 10:20"``."""
    return None if value is None else instant_of(value).astimezone(SHANGHAI).strftime("%m-%d %H:%M")
