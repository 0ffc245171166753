"""`redress dlq`: look at what a service could not handle, and let it try again."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from redress.told import Told

if TYPE_CHECKING:
    from shared.db import Database

cli = typer.Typer(no_args_is_help=True)

Service = Annotated[str, typer.Argument(help="The consuming service.")]
Data = Annotated[Path, typer.Option("--data", envvar="REDRESS_DATA", help="The data folder, without DATABASE_URL.")]
DATA = Path(".redress")


@cli.command("list")
def list_(
    service: Service,
    data: Data = DATA,
    state: Annotated[str | None, typer.Option(help="dead, replaying or replayed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """The newest dead letters of a service."""
    from redress.cli import run_async

    run_async(_list(data, service, state, limit))


@cli.command()
def show(service: Service, letter: Annotated[UUID, typer.Argument(help="Its id.")], data: Data = DATA) -> None:
    """One dead letter, with headers and value. The value may hold personal data."""
    from redress.cli import run_async

    run_async(_show(data, service, letter))


@cli.command()
def replay(
    service: Service,
    letter: Annotated[UUID | None, typer.Argument(help="Its id.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead letter of the service.")] = False,
    reason: Annotated[str | None, typer.Option(help="With --all: those that died of this reason.")] = None,
    data: Data = DATA,
) -> None:
    """Ask the service to handle a dead letter once more; it does so within seconds, or when it next runs."""
    from redress.cli import run_async

    if (letter is None) == (not every):
        raise Told("Name one dead letter, or say --all.")
    run_async(_replay(data, service, letter, reason))


async def _list(data: Path, service: str, state: str | None, limit: int) -> None:
    from rich.table import Table

    from redress.tables import show as show_table
    from shared.bus.deadletters import list_dead_letters

    async with _schema(data, service) as database:
        letters = await list_dead_letters(database, state=state, limit=limit)
    if not letters:
        typer.echo(f"{service} has no dead letters.")
        return
    table = Table("id", "died", "type", "key", "reason", "error", "attempts", "state", box=None, header_style="bold")
    for each in letters:
        died = f"{each.died_at:%Y-%m-%d %H:%M:%S}"
        error = each.error if len(each.error) < 80 else f"{each.error[:79]}…"
        table.add_row(str(each.id), died, each.type, each.key, each.reason, error, str(each.attempts), each.state)
    show_table(table)


async def _show(data: Path, service: str, letter: UUID) -> None:
    import json
    from dataclasses import asdict

    from shared.bus.deadletters import NoSuchDeadLetter
    from shared.bus.deadletters import show as shown

    async with _schema(data, service) as database:
        try:
            found = asdict(await shown(database, letter))
        except NoSuchDeadLetter as missing:
            raise Told(f"{missing}. `redress dlq list {service}` shows those that there are.") from missing
    payload = found.pop("payload")
    found["value"] = None if payload is None else payload.decode(errors="backslashreplace")
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))


async def _replay(data: Path, service: str, letter: UUID | None, reason: str | None) -> None:
    from shared.bus import deadletters

    async with _schema(data, service) as database:
        if letter is None:
            count = await deadletters.replay_all(database, reason=reason)
        else:
            try:
                await deadletters.replay(database, letter)
            except deadletters.NoSuchDeadLetter as missing:
                raise Told(f"{missing}. `redress dlq list {service}` shows those that there are.") from missing
            count = 1
    typer.echo(f"{service} will handle {count} once more; `redress dlq list {service}` shows what became of it.")


@asynccontextmanager
async def _schema(data: Path, service: str) -> AsyncGenerator["Database"]:
    from redress.database import databases
    from redress.migrations import chosen
    from shared.db import Database

    (name,) = chosen([service])
    with databases(data) as found:
        database = Database(found.url(name), name, pool_size=1)
        try:
            yield database
        finally:
            await database.close()
