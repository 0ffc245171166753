"""What the work list is narrowed to and ordered by."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.vocabulary import Urgency

#: `next_due` and `urgency` put cases without a running clock last.
Sort = Literal["next_due", "received", "-received", "urgency"]

URGENCY_RANK = {Urgency.HIGH: 0, Urgency.MEDIUM: 1, Urgency.LOW: 2}


@dataclass(frozen=True, slots=True)
class Filter:
    """None and empty are no condition. `teams` are those that the caller may see."""

    states: Collection[str] = ()
    urgencies: Collection[str] = ()
    team: str | None = None
    agent: str | None = None
    channel: str | None = None
    responsible: str | None = None
    customer: UUID | None = None
    overdue: bool | None = None
    near_breach: bool | None = None
    q: str | None = None
    teams: frozenset[str] | None = None
