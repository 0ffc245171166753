"""Many rows as one JSON parameter: one statement for a hundred rows, and one parse by the database."""

import json
from collections.abc import Sequence
from typing import Any


def json_rows(rows: Sequence[dict[str, Any]]) -> str:
    """`rows` as a JSON array that PostgreSQL takes: it has no NUL character in its texts."""
    written = json.dumps(rows, ensure_ascii=False, default=str, separators=(",", ":"))
    if "\\u0000" in written:
        written = json.dumps(_without_nul(rows), ensure_ascii=False, default=str, separators=(",", ":"))
    return written


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "")
        case dict():
            return {key: _without_nul(each) for key, each in value.items()}
        case list() | tuple():
            return [_without_nul(each) for each in value]
    return value
