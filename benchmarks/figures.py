"""What a benchmark finds: figures with their floor and goal, as a table and as lines of `out/latest.jsonl`."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).parent / "out" / "latest.jsonl"
#: `BENCH_SCALE=0.1` is a quick look: a tenth of the time and of the complaints. Its figures are not to be compared.
SCALE = float(os.environ.get("BENCH_SCALE", "1"))


@dataclass(frozen=True)
class Figure:
    """One figure. `floor` is what the machine does without us; `goal` is for the ratio to it where `goal_of` says
    so, else for the value. `more` are further fields of the line."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    goal: float | None = None
    goal_of: Literal["value", "ratio"] = "value"
    better: Literal["higher", "lower"] = "higher"
    more: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; `None` without a goal."""
        judged = self.ratio if self.goal_of == "ratio" else self.value
        if self.goal is None or judged is None:
            return None
        return judged >= self.goal if self.better == "higher" else judged <= self.goal

    def line(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "floor": _rounded(self.floor),
            "ratio": _rounded(self.ratio),
            "goal": self.goal,
            "goal_of": self.goal_of if self.goal is not None else None,
            "met": self.met,
            **{name: _rounded(value) for name, value in self.more.items()},
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return told if SCALE == 1 else {**told, "scale": SCALE}


def keep(figures: Sequence[Figure], path: Path = LATEST) -> None:
    """Put the figures into the file; those of the same name that stood there are replaced, the others stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    new = {figure.name for figure in figures}
    lines = [line for line in there if line["name"] not in new] + [figure.line() for figure in figures]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def show(figures: Sequence[Figure], console: Console) -> None:
    table = Table(title="" if SCALE == 1 else f"scale {SCALE}: a quick look", title_justify="left")
    table.add_column("figure")
    for heading in ("value", "floor", "ratio", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{_told(figure.value)} {figure.unit}",
            _told(figure.floor),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            _goal(figure),
            {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[figure.met],
        )
    console.print(table)
    for figure in figures:
        if figure.more:
            told = ", ".join(f"{name} {_told(value)}" for name, value in figure.more.items())
            console.print(f"[bold]{figure.name}[/]: {told}", highlight=False)


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    sign = "≥" if figure.better == "higher" else "≤"
    return f"{sign} {_told(figure.goal)}{' × floor' if figure.goal_of == 'ratio' else ''}"


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _told(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
