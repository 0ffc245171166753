"""Statements for many rows at once: one array per column, over asyncpg's `unnest`."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import driver_connection

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def _unnested(table: Table, columns: Sequence[str]) -> tuple[str, str]:
    """What to select from, and what from it, for rows that come as one array per column. JSON travels as text."""
    types = [table.c[name].type.compile(_DIALECT) for name in columns]
    arrays = [f"${place}::{'text' if kind == 'JSONB' else kind}[]" for place, kind in enumerate(types, 1)]
    values = [f"w.{name}::jsonb" if kind == "JSONB" else f"w.{name}" for name, kind in zip(columns, types, strict=True)]
    return f"unnest({', '.join(arrays)}) as w ({', '.join(columns)})", ", ".join(values)


def insert_of(table: Table, columns: Sequence[str], then: str = "") -> str:
    rows, values = _unnested(table, columns)
    return f"insert into {table.name} ({', '.join(columns)}) select {values} from {rows} {then}"  # noqa: S608


def update_of(table: Table, columns: Sequence[str]) -> str:
    """Of the rows with the ids that are the first column."""
    rows, values = _unnested(table, columns)
    pairs = zip(columns[1:], values.split(", ")[1:], strict=True)
    settings = ", ".join(f"{name} = {value}" for name, value in pairs)
    return f"update {table.name} set {settings} from {rows} where {table.name}.id = w.id"  # noqa: S608


def arrays_of(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """One array per column."""
    return [list(column) for column in zip(*rows, strict=True)]


async def driver_of(tx: AsyncSession) -> Any:
    """The asyncpg connection of a unit of work that has run a statement, and so has begun its transaction."""
    connection = await tx.connection()
    return driver_connection(await connection.get_raw_connection())
