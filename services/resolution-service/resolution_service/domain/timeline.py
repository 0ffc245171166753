"""One complete, ordered list of what happened to a complaint (A3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resolution_service.domain import labels
from resolution_service.domain.entries import Kept
from resolution_service.domain.states import FactKind, Standing
from resolution_service.domain.views import Link, LinkedAction, TimelineItem
from shared.contracts.envelope import Actor, ActorKind, Bilingual
from shared.contracts.sla import ClockView
from shared.contracts.vocabulary import CaseState
from shared.ids import derived_id

SLA = Actor(kind=ActorKind.SYSTEM, id="sla-service")
INSIGHT = Actor(kind=ActorKind.SYSTEM, id="insight-service")
SYSTEM = Actor(kind=ActorKind.SYSTEM, id="resolution-service")

#: Where the words of a person stand in an event, by its kind; `text` elsewhere.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "complaint.received": ("symptom",),
    "complaint.linked": ("reason",),
    "complaint.classified": ("override_reason",),
    "transfer.opened": ("ask",),
    "transfer.answered": ("answer",),
    "transfer.cancelled": ("reason",),
    "promise.withdrawn": ("reason",),
    "survey.answered": ("comment",),
    "follow-up.done": ("note",),
    "complainant.dissatisfied": ("reason",),
    "closing.summary-written": ("summary",),
    "case.resolved": ("result",),
    "regulator.stage-recorded": ("note",),
    "regulator.stage-taken-back": ("reason",),
    "clock.repriced": ("reason",),
    "clock.paused": ("reason",),
    "clock.cancelled": ("reason",),
    "clock.breach-withdrawn": ("reason",),
}
_MOMENTS: tuple[tuple[str, Callable[[ClockView], datetime | None]], ...] = (
    ("clock.activated", lambda clock: clock.started_at),
    ("clock.warned", lambda clock: clock.warned_at),
    ("clock.breached", lambda clock: clock.breached_at),
    ("clock.fulfilled", lambda clock: clock.fulfilled_at),
)


@dataclass(frozen=True, slots=True)
class File:
    """All that the timeline is told from."""

    entries: Sequence[Kept]
    standing: Standing
    clocks: Sequence[ClockView]
    links: Sequence[Link]
    actions: Sequence[LinkedAction]


def timeline(file: File) -> list[TimelineItem]:
    """By the instant at which it was true, then by the one at which it was learned; at one instant as things were made
    (ids grow with time), a move behind what caused it, and what follows by itself at the end."""
    items = [
        *_entries(file.entries),
        *_moves(file),
        *_clocks(file.clocks),
        *_links(file.links),
        *_actions(file.actions),
    ]
    items.sort(key=lambda placed: (placed[1].occurred_at, placed[1].recorded_at, placed[0], str(placed[1].id)))
    return [item for _, item in items]


_Placed = Iterable[tuple[str, TimelineItem]]
#: Sorts behind every id.
_LAST = "~"


def _entries(entries: Sequence[Kept]) -> _Placed:
    for entry in entries:
        kind = labels.kind_of(entry.type)
        if kind == "case.moved":
            continue  # told by the replay, with all the other moves
        content = dict(entry.content)
        words = _words(kind, content)
        yield (
            str(entry.event_id),
            TimelineItem(
                id=entry.event_id,
                occurred_at=entry.occurred_at,
                recorded_at=entry.recorded_at,
                kind=kind,
                label=labels.ITEMS[kind],
                actor=entry.actor,
                text=words,
                details=content,
            ),
        )


def _words(kind: str, content: dict[str, Any]) -> str:
    for key in _WORDS.get(kind, ("text",)):
        value = content.get(key)
        if isinstance(value, str):
            del content[key]
            return value
        if isinstance(value, dict):
            return "\n".join(str(part) for part in value.values())
    return ""


def _moves(file: File) -> _Placed:
    recorded = {entry.event_id: entry.recorded_at for entry in file.entries}
    for move in file.standing.moves:
        if move.fact is None or move.from_state is None:
            continue
        yield (
            f"{move.fact.id}{_LAST}" if move.fact.actor else _LAST,
            TimelineItem(
                id=derived_id("move", move.fact.id, move.to_state, move.cycle),
                occurred_at=move.at,
                recorded_at=max(move.at, recorded.get(move.fact.id, move.at)),
                kind="case.moved",
                label=_from_to(move.from_state, move.to_state),
                actor=move.fact.actor or SYSTEM,
                text=move.fact.reason,
                details={
                    "from_state": move.from_state.value,
                    "to_state": move.to_state.value,
                    "cycle": move.cycle,
                    "cause": "ordered" if move.fact.kind is FactKind.ORDERED else move.fact.kind.value,
                },
            ),
        )


def _from_to(before: CaseState, after: CaseState) -> Bilingual:
    first, then = labels.STATES[before], labels.STATES[after]
    return Bilingual(zh=f"状态:{first.zh} → {then.zh}", en=f"State: {first.en} → {then.en}")


def _clocks(clocks: Sequence[ClockView]) -> _Placed:
    for clock in clocks:
        for kind, moment in _MOMENTS:
            at = moment(clock)
            if at is None:
                continue
            label = labels.ITEMS[kind]
            yield (
                _LAST * 2,
                TimelineItem(
                    id=derived_id(kind, clock.clock_id),
                    occurred_at=at,
                    recorded_at=at,
                    kind=kind,
                    label=Bilingual(zh=f"{label.zh}:{clock.title.zh}", en=f"{label.en}: {clock.title.en}"),
                    actor=SLA,
                    text="",
                    details={
                        "clock_id": str(clock.clock_id),
                        "metric": clock.metric.value,
                        "due_at": clock.due_at.isoformat(),
                        "cycle": clock.cycle,
                    },
                ),
            )


def _links(links: Sequence[Link]) -> _Placed:
    for link in links:
        if not link.inbound:
            continue  # has its own entry
        yield (
            _LAST * 2,
            TimelineItem(
                id=derived_id("linked-here", link.complaint_id, link.relation, link.at),
                occurred_at=link.at,
                recorded_at=link.at,
                kind="complaint.linked",
                label=labels.ITEMS["complaint.linked"],
                actor=SYSTEM,
                text=link.reason,
                details={"other_id": str(link.complaint_id), "other_number": link.number, "relation": link.relation},
            ),
        )


def _actions(actions: Sequence[LinkedAction]) -> _Placed:
    for action in actions:
        details = {"action_id": str(action.action_id), "due_at": action.due_at.isoformat(), "aim": action.aim}
        for kind, at in (("action.planned", action.planned_at), ("action.done", action.done_at)):
            if at is not None:
                yield (
                    _LAST * 2,
                    TimelineItem(
                        id=derived_id(kind, action.action_id),
                        occurred_at=at,
                        recorded_at=at,
                        kind=kind,
                        label=labels.ITEMS[kind],
                        actor=INSIGHT,
                        text=action.title,
                        details=details,
                    ),
                )
