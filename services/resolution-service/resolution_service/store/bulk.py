"""One statement for many rows: arrays of values that `unnest` turns into rows. Built once, so that its compiled form is
found again whatever the number of rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, Select, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement

PREFIX = "v_"


def rows_of(table: Table, names: Sequence[str]) -> dict[str, ColumnElement[Any]]:
    """The columns of ``unnest(:v_a, :v_b, …) as new(a, b, …)``. JSON is passed as text."""
    columns = [table.c[name] for name in names]
    arrays = [bindparam(PREFIX + col.name, type_=ARRAY(_sent_as(col))) for col in columns]
    new = (
        func.unnest(*arrays)
        .table_valued(*[column(col.name, _sent_as(col)) for col in columns], name="new")
        .render_derived()
    )
    return {
        col.name: cast(new.c[col.name], JSONB) if isinstance(col.type, JSONB) else new.c[col.name] for col in columns
    }


def values_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """The parameters for `rows_of`; every row has its values in the order of `names`."""
    return {PREFIX + name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}


def select_rows(columns: dict[str, ColumnElement[Any]], **instead: ColumnElement[Any]) -> Select[Any]:
    return select(*[instead.get(name, source).label(name) for name, source in columns.items()])


def _sent_as(col: Column[Any]) -> Any:
    return Text() if isinstance(col.type, JSONB) else col.type


__all__ = ["PREFIX", "rows_of", "select_rows", "values_of"]
