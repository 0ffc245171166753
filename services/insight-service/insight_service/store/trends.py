"""Counts over the complaints (E1). No commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.store.tables import complaints

#: What complaints can be counted by.
DIMENSIONS = {
    "issue_type": complaints.c.issue_type,
    "urgency": complaints.c.urgency,
    "responsible": complaints.c.responsible,
    "channel": complaints.c.channel,
    "kind": complaints.c.kind,
    "product": complaints.c.product,
    "region": complaints.c.region,
    "team": complaints.c.team_id,
}


def _seconds(until: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.extract("epoch", until - complaints.c.received_at)


async def counts(
    tx: AsyncSession, *, period: str, dimension: str, zone: str, start: datetime, end: datetime
) -> Sequence[Row[Any]]:
    """One row per period and value: how many were received, and how it went with those that have come so far.

    `period` is day, week (ISO, from Monday) or month, as counted in `zone`. Times are mean seconds since receipt.
    """
    bucket = func.date_trunc(period, func.timezone(zone, complaints.c.received_at)).label("bucket")
    value = DIMENSIONS[dimension].label("value")
    query = (
        select(
            bucket,
            value,
            func.count().label("times"),
            func.avg(_seconds(complaints.c.first_response_at)).label("respond_seconds"),
            func.count(complaints.c.first_response_at).label("responded"),
            func.avg(_seconds(complaints.c.first_resolved_at)).label("resolve_seconds"),
            func.count(complaints.c.first_resolved_at).label("resolved"),
            func.count().filter(complaints.c.cycle > 1).label("reopened"),
            func.avg(complaints.c.satisfaction).label("satisfaction"),
            func.count(complaints.c.satisfaction).label("answered"),
        )
        .where(complaints.c.received_at >= start, complaints.c.received_at < end)
        .group_by(bucket, value)
        .order_by(bucket, func.count().desc(), value)
    )
    return (await tx.execute(query)).all()
