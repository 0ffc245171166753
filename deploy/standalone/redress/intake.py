"""`redress intake`: is everything that came in accounted for?"""

from pathlib import Path
from typing import Any

import typer

from redress.caller import DATA, URL, Data, Token, Url, calling
from redress.told import Told

cli = typer.Typer(no_args_is_help=True)


@cli.callback()
def intake() -> None:
    """Receiving."""


@cli.command()
def reconcile(url: Url = URL, token: Token = None, data: Data = DATA) -> None:
    """What came in by each account against what is accounted for; 1 where they differ."""
    from redress.cli import run_async

    found = run_async(_reconcile(url, token, data))
    _show(found)
    if found["unaccounted"]:
        raise Told(
            f"Unaccounted for: {found['unaccounted']}. Of a fetched channel, look at the provider for what was "
            "not fetched; of calls, see GET /v1/calls?without_record=true; of any other, look for who deleted "
            "receipts or complaints."
        )


async def _reconcile(url: str, token: str | None, data: Path) -> Any:
    async with calling(url, token, data, "quality") as caller:
        return await caller.ask("GET", "/intake/v1/reconciliation")


def _show(found: Any) -> None:
    from rich.table import Table

    from redress.tables import show

    columns = (
        "channel",
        "account",
        "accepted",
        "repeated",
        "receipts",
        "direct",
        "complaints",
        "exist",
        "taken",
        "calls_without_record",
        "unaccounted",
    )
    table = Table(*(name.replace("_", " ") for name in columns), box=None, header_style="bold")
    for source in found["sources"]:
        table.add_row(*("" if source[name] is None else str(source[name]) for name in columns))
    show(table)
