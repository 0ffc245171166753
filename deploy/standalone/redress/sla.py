"""`redress sla`: do the kept clocks still follow from their facts?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from redress.told import Told

if TYPE_CHECKING:
    from sla_service.usecases.replay import Verdict

cli = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option("--data", envvar="REDRESS_DATA", help="The data folder, without DATABASE_URL.")]
DATA = Path(".redress")


@cli.callback()
def sla() -> None:
    """Service levels."""


@cli.command()
def verify(
    complaint: Annotated[UUID | None, typer.Option(help="The clocks of this complaint alone, by its id.")] = None,
    data: Data = DATA,
) -> None:
    """Fold every clock anew from its facts and compare it with what is kept; 1 where one differs. Changes nothing."""
    from redress.cli import run_async

    verdict = run_async(_verify(data, complaint))
    typer.echo(f"{verdict.histories} histories, {verdict.clocks} clocks: {verdict.differing} differ")
    for one in verdict.found:
        for each in one.differences:
            typer.echo(f"{one.clock_id} of {one.history_id}: {each.field} is {each.kept}, the facts say {each.folded}")
    if verdict.differing:
        raise Told(
            f"{verdict.differing} clocks are not what their facts make of them. GET /v1/clocks/<id>/ledger shows what "
            "the facts say; find out who wrote past the service. A complaint's next event brings its clocks right."
        )


async def _verify(data: Path, complaint: UUID | None) -> "Verdict":
    from redress.database import databases
    from shared.clock import SystemClock
    from shared.db import Database
    from shared.ids import new_id
    from sla_service.settings import Settings
    from sla_service.usecases import Deps, replay

    with databases(data) as found:
        url = found.url("sla")
        database = Database(url, "sla", pool_size=1)
        try:
            settings = Settings(database_url=url)
            deps = Deps(database.session, database.reading, SystemClock(), new_id, settings)
            return await replay.verify(complaint, deps)
        except replay.NothingKept as missing:
            raise Told(f"{missing.detail} `redress health` tells whether the services run.") from missing
        finally:
            await database.close()
