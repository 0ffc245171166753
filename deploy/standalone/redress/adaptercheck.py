"""`redress adapter-check`: what adapters post on their worst days, and whether the generic door stands it."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from redress.tables import show
from redress.told import Told

TIMEOUT = 60.0
AT_ONCE = 20
ALBUM = 10
LARGE = 30 * 1024 * 1024
PIECE = 64 * 1024


class Failed(Exception):
    """What was answered, and what the contract says."""


@dataclass
class Door:
    """The generic door, as one adapter sees it; every run posts under ids of its own."""

    http: httpx.AsyncClient
    channel: str
    account: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))

    def message(self, name: str, *, text: str = "The page does not load.", **changes: Any) -> dict[str, Any]:
        source = {"channel": self.channel, "account": self.account, "message_id": self.id_of(name)}
        source |= {key: self.id_of(changes.pop(key)) for key in ("thread_id", "reply_to") if key in changes}
        return {
            "source": source,
            "sender": {"identities": [{"kind": "handle", "value": f"adapter-check-{self.run}"}]},
            "content": {"text": text},
            "occurred_at": datetime.now(UTC).isoformat(),
            **changes,
        }

    def id_of(self, name: str) -> str:
        return f"{self.run}-{name}"

    async def post(self, message: dict[str, Any]) -> httpx.Response:
        return await self.http.post("/v1/messages", json=message)

    async def kept(self, message: dict[str, Any], *status: str) -> dict[str, Any]:
        """Its receipt, which must have one of these statuses. Raises `Failed`."""
        answer = await self.post(message)
        if answer.status_code not in (200, 202):
            raise Failed(f"answered {_said(answer)}, wanted 202 with a receipt")
        receipt: dict[str, Any] = answer.json()
        if status and receipt["status"] not in status:
            raise Failed(f"became {receipt['status']}, wanted {' or '.join(status)}")
        return receipt


def _said(answer: httpx.Response) -> str:
    kind = answer.headers.get("content-type", "")
    problem = answer.json().get("type", "") if kind.startswith("application/problem+json") else kind
    return f"{answer.status_code} {problem}".strip()


def _refused(answer: httpx.Response, *statuses: int) -> None:
    if answer.status_code not in statuses or "problem+json" not in answer.headers.get("content-type", ""):
        raise Failed(f"answered {_said(answer)}, wanted a problem with status {' or '.join(map(str, statuses))}")


def _one_complaint(receipts: list[dict[str, Any]]) -> None:
    complaints = {(receipt["complaint"] or {}).get("id") for receipt in receipts}
    if len(complaints) != 1 or None in complaints:
        raise Failed(f"made {len(complaints)} complaints, wanted 1")


async def receipts_last(door: Door) -> None:
    receipt = await door.kept(door.message("first"), "created")
    answer = await door.http.get(f"/v1/receipts/{receipt['id']}")
    if answer.status_code != 200 or answer.json() != receipt:
        raise Failed(f"GET /v1/receipts/… answered {_said(answer)}, wanted the receipt that was given")


async def duplicates(door: Door) -> None:
    message = door.message("twice")
    receipts = [await door.kept(message), await door.kept(message)]
    message = door.message("at-once")
    receipts_at_once = await asyncio.gather(*(door.kept(message) for _ in range(AT_ONCE)))
    for each in (receipts, receipts_at_once):
        if len(found := {receipt["id"] for receipt in each}) != 1:
            raise Failed(f"{len(each)} deliveries have {len(found)} receipts, wanted 1")


async def another_body(door: Door) -> None:
    await door.kept(door.message("reused", text="One thing."))
    _refused(await door.post(door.message("reused", text="Another thing.")), 422)


async def disorder(door: Door) -> None:
    later = await door.kept(door.message("second", thread_id="thread", reply_to="opening"), "created")
    first = await door.kept(door.message("opening", thread_id="thread"), "appended")
    _one_complaint([later, first])


async def album(door: Door) -> None:
    parts = [door.message(f"part-{part}", text=f"Photo {part}", thread_id="album") for part in range(ALBUM)]
    receipts = await asyncio.gather(*(door.kept(part, "created", "appended") for part in parts))
    _one_complaint(receipts)


async def clock_skew(door: Door) -> None:
    now = datetime.now(UTC)
    await door.kept(door.message("fast", occurred_at=(now + timedelta(seconds=30)).isoformat()), "created", "appended")
    await door.kept(door.message("future", occurred_at=(now + timedelta(days=1)).isoformat()), "quarantined")
    _refused(await door.post(door.message("no-offset", occurred_at="2026-01-01T10:00:00")), 422)


async def large(door: Door) -> None:
    data = b64encode(bytes(LARGE)).decode()
    _refused(await door.post(door.message("large", raw={"data": data, "media_type": "image/png"})), 413, 422)
    await door.kept(door.message("after-large"), "created", "appended")


async def upload(door: Door) -> None:
    """Streamed, without a length told before, and then named by a message."""
    digest = sha256()

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(LARGE // PIECE):
            piece = f"{door.run} {number} ".encode().ljust(PIECE, b".")
            digest.update(piece)
            yield piece

    headers = {"Content-Type": "application/octet-stream"}
    answer = await door.http.post(
        "/v1/attachments", params={"name": "recording.bin"}, content=pieces(), headers=headers
    )
    if answer.status_code != 201:
        raise Failed(f"POST /v1/attachments answered {_said(answer)}, wanted 201")
    kept = answer.json()
    if (kept["size_bytes"], kept["sha256"]) != (LARGE, digest.hexdigest()):
        raise Failed(f"{kept['size_bytes']} bytes with SHA-256 {kept['sha256']} were kept, wanted {LARGE} as sent")
    await door.kept(door.message("with-upload", attachments=[{"id": kept["id"]}]), "created", "appended")
    _refused(await door.post(door.message("with-none", attachments=[{"id": str(uuid4())}])), 422)


async def bad_charset(door: Door) -> None:
    raw = {"data": b64encode(b"\xff\xff\xff").decode(), "media_type": "text/plain", "charset": "gb18030"}
    await door.kept(door.message("charset", raw=raw), "quarantined")
    headers = {"Content-Type": "application/json"}
    _refused(await door.http.post("/v1/messages", content=b'{"source": "\xff"}', headers=headers), 400, 422)


async def loop(door: Door) -> None:
    """An automatic answer that answers itself joins what it answers; it never makes a complaint a turn."""
    receipts = [await door.kept(door.message("turn-0", thread_id="loop"), "created")]
    for turn in range(1, 6):
        echo = door.message(f"turn-{turn}", text="I am away.", thread_id="loop", reply_to=f"turn-{turn - 1}")
        receipts.append(await door.kept(echo, "appended"))
    _one_complaint(receipts)


CHECKS: dict[str, Callable[[Door], Awaitable[None]]] = {
    "a receipt is durable": receipts_last,
    f"duplicates, {AT_ONCE} at once too": duplicates,
    "an id again with another body": another_body,
    "an answer before what it answers": disorder,
    f"an album of {ALBUM} parts in parallel": album,
    "clocks that differ": clock_skew,
    "30 MB in the envelope": large,
    "an attachment of 30 MB": upload,
    "a charset that does not fit": bad_charset,
    "a loop of automatic answers": loop,
}


async def check(url: str, key: str | None, token: str | None, channel: str, account: str) -> bool:
    """Print what each check found; whether all passed."""
    if (key is None) == (token is None):
        raise Told("Say who posts: --key of an adapter (POST /v1/adapter-keys), or --token.")
    headers = {"X-API-Key": key} if key is not None else {"Authorization": f"Bearer {token}"}
    table = Table("check", "", "why", box=None, header_style="bold")
    passed = True
    async with httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT, trust_env=False) as http:
        with Progress(transient=True) as progress:
            for name, run in progress.track(CHECKS.items(), description="checking"):
                why = await _why_not(run, Door(http, channel, account))
                table.add_row(name, "[red]fail[/red]" if why else "[green]pass[/green]", escape(why))
                passed = passed and not why
    show(table, markup=True)
    return passed


async def _why_not(run: Callable[[Door], Awaitable[None]], door: Door) -> str:
    """Why the check fails; nothing where it passes."""
    try:
        await run(door)
    except Failed as failed:
        return str(failed)
    except httpx.HTTPError as trouble:
        return f"no answer: {trouble or type(trouble).__name__}"
    except (ValueError, KeyError, TypeError) as trouble:
        return f"an answer that is no receipt: {type(trouble).__name__}"
    return ""
