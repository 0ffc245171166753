"""A clock as it is kept beside the same clock folded anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import micros
from sla_service.domain.changes import findings_of, resumes_of, steps_of, view_at


@dataclass(frozen=True, slots=True)
class Difference:
    """One field with its two values. Field `clock_id`: only one side knows the clock, the other value is None."""

    field: str
    kept: Any
    folded: Any


def decided(state: ClockState, horizon: datetime | None) -> dict[str, Any]:
    """Every field of a kept clock that the fold decides, when the timers have looked up to `horizon`.

    Not among them: what timers and tellers did (`revision`, `escalated`, `horizon`, `wake_at`).
    """
    view = view_at(state, 0, micros(horizon) if horizon else 0)
    holder = state.run.holder
    return {
        **view.model_dump(exclude={"clock_id", "revision"}),
        "holder": holder.model_dump(mode="json") if holder else None,
        "void": state.run.void,
        "steps": list(steps_of(state)),
        "resumes_at": resumes_of(state),
        "findings": [one.model_dump(mode="json") for one in findings_of(state)] or None,
        "why": state.priced.why.model_dump(mode="json"),
    }


def differences(clock_id: UUID, row: Mapping[str, Any] | None, state: ClockState | None) -> list[Difference]:
    """Where the kept row and the folded state are not the same, bit for bit. A row taken back needs no facts."""
    if state is None and row is not None and row["void"]:
        return []
    if row is None or state is None:
        return [Difference("clock_id", clock_id if row else None, clock_id if state else None)]
    folded = decided(state, row["horizon"])
    if row["why"] is None:  # kept before the reason was
        del folded["why"]
    return [Difference(name, row[name], value) for name, value in folded.items() if row[name] != value]
