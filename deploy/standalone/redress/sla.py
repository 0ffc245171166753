"""`redress sla`: do the kept clocks still follow from their facts, and which policy packs hold?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from redress.told import Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sla_service.domain.packs import Source
    from sla_service.usecases import Deps
    from sla_service.usecases.installing import Done, Shown
    from sla_service.usecases.replay import Verdict

T = TypeVar("T")

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


packs_cli = typer.Typer(invoke_without_command=True)
cli.add_typer(packs_cli, name="packs", help="Policy packs: deadlines of regulators, and the users' own.")


@packs_cli.callback()
def packs(context: typer.Context, data: Data = DATA) -> None:
    """List the packs: what each asks, by which source, and whether it is installed."""
    from redress.cli import run_async
    from sla_service.usecases import installing

    if context.invoked_subcommand is not None:
        return
    for shown in run_async(_with_deps(data, installing.list_packs)):
        typer.echo("\n".join(_told(shown)))


@packs_cli.command()
def install(
    name: Annotated[str, typer.Argument(help="The pack's name, as `redress sla packs` lists it.")], data: Data = DATA
) -> None:
    """Publish the policies of a pack for clocks that start from now on. Twice is as good as once."""
    from redress.cli import run_async

    for one in run_async(_with_deps(data, partial(_install, name))):
        typer.echo(f"{one.policy_id}: {_DONE[one.done].format(one.version)}")


_DONE = {
    "published": "published as version {}",
    "unchanged": "version {} stands already",
    "kept": "version {} was changed by a person and is left as it is",
}


async def _install(name: str, deps: "Deps") -> "list[Done]":
    from shared.contracts.envelope import Actor, ActorKind
    from sla_service.usecases import installing

    try:
        pack = await installing.named(name)
    except installing.UnknownPack as unknown:
        raise Told(unknown.detail) from unknown
    async with deps.session() as tx:
        return await installing.install(tx, pack, None, Actor(kind=ActorKind.SYSTEM, id="redress-sla-packs"), deps)


def _told(shown: "Shown") -> "Iterator[str]":
    from sla_service.domain.packs import in_words, rules_of
    from sla_service.domain.titles import METRICS

    pack, standing = shown.pack, "  [installed]" if shown.installed else ""
    yield f"{pack.name}  {pack.title.zh} / {pack.title.en}{standing}"
    for one in shown.policies:
        version = f"version {one.version}" if one.version else "not installed"
        yield f"  {one.spec.policy_id}, track {one.spec.track}, {version}{', changed by a person' if one.own else ''}"
        for metric, rule in rules_of(one.spec):
            name, words = METRICS[metric], in_words(rule)
            yield f"    {name.zh}：{words.zh} / {name.en}: {words.en}"
            if (source := pack.source(one.spec.policy_id, metric)) is not None:
                yield f"      {_cited(source)}"
    yield ""


def _cited(source: "Source") -> str:
    parts = [f"{source.instrument.zh} / {source.instrument.en}", source.article, source.host]
    parts.append(f"from {source.valid_from}" if source.valid_from else None)
    parts.append(f"to {source.valid_to}" if source.valid_to else None)
    parts.append(None if source.read_in_original else "未读原文 / not read in the original")
    parts.append(f"{source.note.zh} / {source.note.en}" if source.note else None)
    return ", ".join(part for part in parts if part)


async def _verify(data: Path, complaint: UUID | None) -> "Verdict":
    from sla_service.usecases import replay

    try:
        return await _with_deps(data, lambda deps: replay.verify(complaint, deps))
    except replay.NothingKept as missing:
        raise Told(f"{missing.detail} `redress health` tells whether the services run.") from missing


async def _with_deps(data: Path, use: "Callable[[Deps], Awaitable[T]]") -> T:
    """What `use` makes of sla-service's own database."""
    from redress.database import databases
    from shared.clock import SystemClock
    from shared.db import Database
    from shared.ids import new_id
    from sla_service.settings import Settings
    from sla_service.usecases import Deps

    with databases(data) as found:
        url = found.url("sla")
        database = Database(url, "sla", pool_size=1)
        try:
            settings = Settings(database_url=url)
            return await use(Deps(database.session, database.reading, SystemClock(), new_id, settings))
        finally:
            await database.close()
