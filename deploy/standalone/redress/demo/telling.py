"""How the play is told: every line is made of what the system answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

ZONE = ZoneInfo("Asia/Shanghai")
#: Which fields of an event say most about it.
TELLING_FIELDS = (
    "to_state",
    "kind",
    "issue_type",
    "responsible",
    "emotion",
    "confidence",
    "team_id",
    "agent",
    "recipient",
    "purpose",
    "means",
    "symptom",
    "ask",
    "answer",
    "status",
    "method",
    "due_at",
    "expires_at",
    "satisfaction",
    "satisfied",
    "outcome",
    "role",
    "title",
    "root_cause",
    "summary",
    "source",
    "text",
    "reason",
    "cycle",
)
LONGEST = 150
#: Columns where nobody says how wide the output is.
PIPED_WIDTH = 160


class Telling:
    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = max(self.console.width, PIPED_WIDTH)

    def chapter(self, title: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{title}")

    def step(self, now: datetime, title: str) -> None:
        self.console.print()
        self.console.print(Text(f"▶ {_local(now):%Y-%m-%d %H:%M:%S}  {title}", style="bold cyan"))

    def events(self, events: Sequence[dict[str, Any]]) -> None:
        """Instant, service, event and what it says."""
        for event in events:
            line = Text(f"  {local(event['occurred_at'])}  ")
            line.append(f"{event['source']:<11}", style="magenta")
            line.append(f"{event['type'].removeprefix('redress.').removesuffix('.v1'):<32}", style="green")
            line.append(said_by(event["data"]))
            self.console.print(line)

    def clocks(self, clocks: Sequence[dict[str, Any]], now: datetime) -> None:
        """Every clock that runs, with what is left until it is due."""
        running = [clock for clock in clocks if clock["status"] in {"running", "paused"}]
        for clock in sorted(running, key=lambda each: each["due_at"]):
            left = datetime.fromisoformat(clock["due_at"]) - now
            seconds = int(left.total_seconds())
            line = Text(f"  ⏱ {clock['metric']:<22} due {local(clock['due_at'])}  ", style="dim")
            line.append(
                f"{_span(seconds)} left" if seconds >= 0 else f"{_span(-seconds)} late",
                style="yellow" if seconds >= 0 else "red",
            )
            self.console.print(line)

    def page(self, what: str) -> None:
        self.console.print(Text(f"  ⧉ {what}", style="blue"))

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        table = Table(title=title, title_justify="left", show_header=False, expand=False)
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold", max_width=110)
        for name, value in rows:
            table.add_row(name, value)
        self.console.print()
        self.console.print(table)

    def checks(self, title: str, checks: Sequence[tuple[str, bool, str]]) -> None:
        table = Table(title=title, title_justify="left", expand=False)
        table.add_column("")
        table.add_column("what must be seen", overflow="fold", max_width=70)
        table.add_column("what was read", overflow="fold", max_width=70)
        for what, holds, read in checks:
            table.add_row(Text("✔" if holds else "✘", style="green" if holds else "bold red"), what, read)
        self.console.print()
        self.console.print(table)


def said_by(data: dict[str, Any]) -> str:
    """The telling fields of an event's data, in one line."""
    if clock := data.get("clock"):
        parts = [clock["metric"], f"due {local(clock['due_at'])}"]
        if clock.get("on_time") is not None:
            parts.append("on time" if clock["on_time"] else "late")
        data = {"role": data.get("role"), "recipient": data.get("recipient")}
    else:
        parts = []
    for field in TELLING_FIELDS:
        value = data.get(field)
        if value in (None, "", []):
            continue
        parts.append(f"{field}={_short(value)}")
    line = " · ".join(parts)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("zh") or next(iter(value.values()), ""))
    text = str(value)
    if len(text) >= 19 and text[4:5] == "-" and "T" in text:
        return local(text)
    text = text.replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:59]}…"


def _local(instant: datetime) -> datetime:
    return instant.astimezone(ZONE)


def local(instant: str) -> str:
    return f"{_local(datetime.fromisoformat(instant)):%m-%d %H:%M:%S}"


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    return (f"{days}d " if days else "") + f"{hours}:{minutes:02}:{left:02}"
