"""The ledger of a clock: segments without gaps that add up exactly to what the clock counted."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from shared.contracts.envelope import Bilingual
from sla_service.clocks.durations import Basis
from sla_service.clocks.fold import ClockState
from sla_service.clocks.runs import Change


class SegmentKind(StrEnum):
    RAN = "ran"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Segment:
    """`counted` microseconds of ``[begin, end)`` went onto the clock: all of it while it ran, none of it otherwise."""

    begin: int
    end: int
    kind: SegmentKind
    reason: str
    fact_id: UUID | None
    overdue: bool

    @property
    def counted(self) -> int:
        return self.end - self.begin if self.kind is SegmentKind.RAN else 0


def ledger(state: ClockState, now: int) -> tuple[Segment, ...]:
    """What became of every microsecond from the start to the end (or to `now`, while it runs)."""
    run = state.run
    until = run.end.at if run.end else max(now, run.start)
    marks: list[tuple[int, int, SegmentKind, str, UUID | None]] = [
        (run.start, 0, SegmentKind.RAN, "started", run.start_fact_id)
    ]
    for judged in state.pauses:
        pause = judged.pause
        if judged.stands:
            marks.append((pause.begin, 2, SegmentKind.PAUSED, pause.reason, pause.fact_id))
        if judged.ran_on is not None and judged.until is not None:
            marks.append((judged.until, 3, SegmentKind.RAN, judged.ran_on, pause.fact_id))
        if pause.end is not None:
            marks.append((pause.end, 1, SegmentKind.RAN, "resumed", pause.end_fact_id))
    marks.sort(key=lambda one: one[:2])
    segments: list[Segment] = []
    for place, (begin, _, kind, reason, fact_id) in enumerate(marks):
        end = min(marks[place + 1][0] if place + 1 < len(marks) else until, until)
        if begin >= end:
            continue
        if kind is SegmentKind.PAUSED:
            segments.append(Segment(begin, end, kind, reason, fact_id, begin >= state.due))
            continue
        for part_begin, part_end, part_reason, part_fact in _repriced(begin, end, reason, fact_id, run.changes):
            segments += _ran(state, part_begin, part_end, part_reason, part_fact)
    return tuple(segments)


def _repriced(
    begin: int, end: int, reason: str, fact_id: UUID | None, changes: tuple[Change, ...]
) -> list[tuple[int, int, str, UUID | None]]:
    """The stretch cut where another urgency or another due instant began to hold."""
    parts: list[tuple[int, int, str, UUID | None]] = []
    for change in changes:
        if change.calendar is None and begin < change.at < end:
            parts.append((begin, change.at, reason, fact_id))
            begin, fact_id = change.at, change.fact_id
            anew = "other_policy" if change.priced else "planned_anew"
            reason = f"urgency_{change.urgency.value}" if change.urgency else anew
    return [*parts, (begin, end, reason, fact_id)]


def _ran(state: ClockState, begin: int, end: int, reason: str, fact_id: UUID | None) -> list[Segment]:
    cuts = [begin, state.due, end] if begin < state.due < end else [begin, end]
    found = []
    for first, last in pairwise(cuts):
        late = first >= state.due
        if state.basis is Basis.ELAPSED:
            found.append(Segment(first, last, SegmentKind.RAN, reason, fact_id, late))
            continue
        for opens, closes, is_open, why in state.priced.calendar.stretches(first, last):
            kind = SegmentKind.RAN if is_open else SegmentKind.CLOSED
            found.append(Segment(opens, closes, kind, reason if is_open else why, fact_id, late))
    return found


_TEXTS = {
    "started": Bilingual(zh="计时", en="The clock ran"),
    "resumed": Bilingual(zh="恢复计时", en="The clock ran on after a pause"),
    "waiting_customer": Bilingual(zh="暂停：等待客户", en="Paused: waiting for the customer"),
    "waiting_third_party": Bilingual(
        zh="暂停：等待被转单部门或外部伙伴", en="Paused: waiting for the department or partner that was asked"
    ),
    "pause_used_up": Bilingual(zh="恢复计时：暂停已达最长时限", en="The clock ran on: the longest pause was used up"),
    "given_back_no_question": Bilingual(
        zh="照常计时：暂停前未向客户提问", en="The clock ran through a pause: the customer had been asked nothing"
    ),
    "given_back_near_deadline": Bilingual(
        zh="照常计时：暂停始于期限将至时", en="The clock ran through a pause: it was begun too near the deadline"
    ),
    "outside hours": Bilingual(zh="非工作时间", en="Closed: outside working hours"),
    "urgency_high": Bilingual(zh="按高紧急度计时", en="The clock ran at high urgency"),
    "urgency_medium": Bilingual(zh="按中紧急度计时", en="The clock ran at medium urgency"),
    "urgency_low": Bilingual(zh="按低紧急度计时", en="The clock ran at low urgency"),
    "pause_not_allowed": Bilingual(
        zh="恢复计时：新适用的承诺不允许暂停", en="The clock ran on: the policy that came allows no pause"
    ),
    "other_policy": Bilingual(zh="按另一承诺计时", en="The clock ran under another policy"),
    "planned_anew": Bilingual(zh="按新期限计时", en="The clock ran towards a new due time"),
}


def sentence(segment: Segment) -> Bilingual:
    """The segment in words, both languages; a holiday is named."""
    text = _TEXTS.get(segment.reason) or Bilingual(zh=f"休息：{segment.reason}", en=f"Closed: {segment.reason}")
    if segment.overdue:
        return Bilingual(zh=f"{text.zh}（已超时）", en=f"{text.en} (overdue)")
    return text
