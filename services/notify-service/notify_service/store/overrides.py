"""Templates that a company put in the place of the shipped ones."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notify_service.rendering import TemplateParts
from notify_service.store.tables import templates
from shared.contracts.vocabulary import Language, Purpose

_LOCK = text("select pg_advisory_xact_lock(hashtextextended(current_schema() || '.template.' || :which, 0))")


@dataclass(frozen=True, slots=True)
class Override:
    parts: TemplateParts
    version: int
    changed_at: datetime
    changed_by: str


async def overrides(tx: AsyncSession) -> dict[tuple[Purpose, Language], Override]:
    """All of them; there are at most as many as purposes times languages."""
    return {
        (Purpose(row.purpose), Language(row.language)): _override(row) for row in await tx.execute(select(templates))
    }


async def lock_override(tx: AsyncSession, purpose: Purpose, language: Language) -> Override | None:
    """One change at a time; there need not be a row to lock."""
    await tx.execute(_LOCK, {"which": f"{purpose}.{language}"})
    query = select(templates).where(templates.c.purpose == purpose, templates.c.language == language)
    row = (await tx.execute(query)).one_or_none()
    return _override(row) if row else None


async def put_override(tx: AsyncSession, purpose: Purpose, language: Language, override: Override) -> None:
    values = {
        "subject": override.parts.subject,
        "text": override.parts.text,
        "short": override.parts.short,
        "html": override.parts.html,
        "version": override.version,
        "changed_at": override.changed_at,
        "changed_by": override.changed_by,
    }
    statement = insert(templates).values(purpose=purpose, language=language, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["purpose", "language"], set_=values))


async def delete_override(tx: AsyncSession, purpose: Purpose, language: Language) -> None:
    await tx.execute(delete(templates).where(templates.c.purpose == purpose, templates.c.language == language))


def _override(row: Row[Any]) -> Override:
    parts = TemplateParts(row.subject, row.text, row.short, row.html)
    return Override(parts, row.version, row.changed_at, row.changed_by)
