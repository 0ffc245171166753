"""The clocks whose timer is due: taken in batches of thousands, so only what firing reads and writes is carried.

What repeats from clock to clock (titles, the holders) is read once; what never changes here (why, findings) is not
read at all.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Bilingual, ComplaintFacts, StaffContact
from shared.contracts.sla import ClockView
from sla_service.domain.changes import Kept

_VIEW = tuple(name for name in ClockView.model_fields if name != "title")
_CLAIM = text(
    f"select {', '.join('c.' + name for name in _VIEW)}, cast(c.title as text) as title, "  # noqa: S608 - own names
    "c.history_id, c.horizon, c.escalated, c.wake_at, cast(c.holder as text) as holder, c.void, c.steps, c.resumes_at, "
    "cast(h.complaint as text) as complaint from clocks c join histories h on h.history_id = c.history_id "
    "where c.wake_at <= :now order by c.wake_at, c.clock_id limit :limit for no key update of c skip locked"
)
_SAVE = text(
    "update clocks c set revision = r.revision, status = r.status, warned_at = r.warned_at, "
    "breached_at = r.breached_at, on_time = r.on_time, escalated = r.escalated, horizon = r.horizon, "
    "wake_at = r.wake_at from unnest(cast(:clock_id as uuid[]), cast(:revision as int[]), cast(:status as text[]), "
    "cast(:warned_at as timestamptz[]), cast(:breached_at as timestamptz[]), cast(:on_time as bool[]), "
    "cast(:escalated as int[]), cast(:horizon as timestamptz[]), cast(:wake_at as timestamptz[])) "
    "as r (clock_id, revision, status, warned_at, breached_at, on_time, escalated, horizon, wake_at) "
    "where c.clock_id = r.clock_id"
)

#: How long a machine that vanished without closing its connections keeps what it claimed from the others.
_LEASE = text("set local idle_in_transaction_session_timeout = '10s'")


async def claim_due(tx: AsyncSession, now: datetime, limit: int) -> list[tuple[Kept, ComplaintFacts | None]]:
    """Clocks whose timer is due, the earliest first, locked until the commit; what another worker or a handler holds is
    left to it. They come without `why` and `findings`, which `save_fired` leaves as they are."""
    rows = (await tx.execute(_CLAIM, {"now": now, "limit": limit})).all()
    if rows:
        await tx.execute(_LEASE)
    return [(_kept(row), _complaint(row.complaint)) for row in rows]


async def next_wake(tx: AsyncSession) -> datetime | None:
    query = text("select wake_at from clocks where wake_at is not null order by wake_at limit 1")
    found: datetime | None = await tx.scalar(query)
    return found


async def save_fired(tx: AsyncSession, fired: Sequence[Kept]) -> None:
    """What firing changes of claimed clocks, all of them in one statement."""
    views = [one.view for one in fired]
    await tx.execute(
        _SAVE,
        {
            "clock_id": [view.clock_id for view in views],
            "revision": [view.revision for view in views],
            "status": [view.status.value for view in views],
            "warned_at": [view.warned_at for view in views],
            "breached_at": [view.breached_at for view in views],
            "on_time": [view.on_time for view in views],
            "escalated": [one.escalated for one in fired],
            "horizon": [one.horizon for one in fired],
            "wake_at": [one.wake_at for one in fired],
        },
    )


def _kept(row: Any) -> Kept:
    *view, title, history_id, horizon, escalated, wake_at, holder, void, steps, resumes_at, _ = row
    return Kept(
        history_id,
        ClockView(title=_title(title), **dict(zip(_VIEW, view, strict=True))),
        horizon,
        escalated,
        wake_at,
        _person(holder),
        void,
        tuple(steps),
        resumes_at=resumes_at,
    )


def _complaint(told: str | None) -> ComplaintFacts | None:
    return None if told is None else ComplaintFacts.model_validate_json(told)


@lru_cache(maxsize=1_000)
def _title(told: str) -> Bilingual:
    return Bilingual.model_validate_json(told)


@lru_cache(maxsize=10_000)
def _person(told: str | None) -> StaffContact | None:
    return None if told is None else StaffContact.model_validate_json(told)
