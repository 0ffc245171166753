"""Taxonomy: queries."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Bilingual
from triage_service.classifier import Dimension
from triage_service.domain.taxonomy import Entry
from triage_service.store.tables import taxonomy_entries as table


async def entries(tx: AsyncSession) -> list[Entry]:
    order = (table.c.dimension, table.c.position, table.c.code)
    return [_entry(row) for row in await tx.execute(select(table).order_by(*order))]


async def put(tx: AsyncSession, entry: Entry) -> Entry:
    """Insert it, or replace it as its next revision. The caller holds the roster's lock."""
    statement = insert(table).values(_row(entry))
    replaced = {name: statement.excluded[name] for name in _row(entry) if name not in ("dimension", "code", "revision")}
    revision = await tx.scalar(
        statement.on_conflict_do_update(
            index_elements=["dimension", "code"], set_={**replaced, "revision": table.c.revision + 1}
        ).returning(table.c.revision)
    )
    return replace(entry, revision=revision or 1)


async def seed(tx: AsyncSession, seeds: Sequence[Entry]) -> None:
    """Add the entries that are not there; what the company changed stays."""
    await tx.execute(insert(table).on_conflict_do_nothing(), [_row(entry) for entry in seeds])


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "dimension": entry.dimension.value,
        "code": entry.code,
        "revision": entry.revision,
        "position": entry.position,
        "zh": entry.label.zh,
        "en": entry.label.en,
        "responsible": entry.responsible,
        "keywords": list(entry.keywords),
        "active": entry.active,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        dimension=Dimension(row.dimension),
        code=row.code,
        label=Bilingual(zh=row.zh, en=row.en),
        revision=row.revision,
        position=row.position,
        responsible=row.responsible,
        keywords=tuple(row.keywords),
        active=row.active,
    )
