"""`redress quarantine`: look at messages that could not be understood, and let them be looked at once more."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from redress.caller import DATA, URL, Data, Token, Url, calling

cli = typer.Typer(no_args_is_help=True)

Receipt = Annotated[UUID, typer.Argument(help="Its receipt's id.")]


@cli.command("list")
def list_(
    url: Url = URL,
    token: Token = None,
    data: Data = DATA,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50,
) -> None:
    """The oldest messages in quarantine, with reasons, owner, and when they must have been looked at."""
    from redress.cli import run_async

    found = run_async(_ask(url, token, data, "GET", "", params={"limit": limit}))["data"]
    if not found:
        typer.echo("Nothing is in quarantine.")
        return
    from rich.table import Table

    from redress.tables import show as show_table

    table = Table("id", "channel", "account", "message", "owner", "due", "reasons", box=None, header_style="bold")
    for each in found:
        due = datetime.fromisoformat(each["due_at"])
        late = " overdue" if due <= datetime.now(UTC) else ""
        reasons = "; ".join(doubt["message"]["en"] for doubt in each["doubts"])
        table.add_row(
            each["id"],
            each["channel"],
            each["account"],
            each["message_id"],
            each["owner"],
            f"{due:%Y-%m-%d %H:%M}{late}",
            reasons,
        )
    show_table(table)


@cli.command()
def show(
    receipt: Receipt,
    reason: Annotated[str, typer.Option(help="Why you look; it is recorded.")] = "",
    url: Url = URL,
    token: Token = None,
    data: Data = DATA,
) -> None:
    """One message as it came. It may hold personal data; that you looked is recorded."""
    from base64 import b64decode

    from redress.cli import run_async

    found = run_async(_ask(url, token, data, "GET", f"/{receipt}", params={"reason": reason}))
    found["body"] = b64decode(found["body"]).decode(errors="backslashreplace")
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


@cli.command()
def retry(
    receipt: Receipt,
    message: Annotated[
        Path | None, typer.Option(help="A JSON file with the corrected message, in place of what came.", exists=True)
    ] = None,
    url: Url = URL,
    token: Token = None,
    data: Data = DATA,
) -> None:
    """Let it be looked at once more, as it came or corrected; 1 where it is in quarantine still."""
    from redress.cli import run_async
    from redress.told import Told

    body: dict[str, Any] = {}
    if message is not None:
        try:
            body = {"message": json.loads(message.read_text(encoding="utf-8"))}
        except ValueError as error:
            raise Told(f"{message}: not JSON: {error}") from error
    found = run_async(_ask(url, token, data, "POST", f"/{receipt}/retry", json=body))
    if found["status"] == "quarantined":
        reasons = "; ".join(doubt["message"]["en"] for doubt in found["doubts"])
        raise Told(f"It is in quarantine still: {reasons}. Correct it with --message.")
    complaint = found["complaint"]
    typer.echo(f"{found['status']}: {complaint['number'] if complaint else receipt}")


async def _ask(url: str, token: str | None, data: Path, method: str, path: str, **rest: Any) -> Any:
    async with calling(url, token, data, "lead") as caller:
        return await caller.ask(method, f"/intake/v1/quarantine{path}", **rest)
