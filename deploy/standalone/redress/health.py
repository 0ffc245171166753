"""`redress health`: the readiness of all services as a table."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from rich.markup import escape
from rich.table import Table

from redress.tables import show
from redress.told import Told

TIMEOUT = 5.0


async def look(url: str, at: Sequence[str]) -> bool:
    """Print the table; whether all are ready. `at` names single services (`intake=http://host:8080`)."""
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        if at:
            places = dict(_place(each) for each in at)
            reports = dict(zip(places, await asyncio.gather(*(_ask(client, u) for u in places.values())), strict=True))
        else:
            told = await _ask(client, url)
            if "services" not in told:
                raise Told(
                    f"Nothing that is Redress answers at {url} ({told['status']}). "
                    "Start it with `redress up`, or give --url; single services by --at intake=http://host:8080."
                )
            reports = told["services"]
    table = Table("service", "status", "check", "what it says", box=None, header_style="bold")
    for name, report in reports.items():
        checks = report.get("checks") or {"": {"ok": False, "detail": report["status"]}}
        for row, (check, found) in enumerate(checks.items()):
            facts = ", ".join(
                f"{key} {value}" for key, value in found.get("facts", {}).items() if value not in ({}, None)
            )
            mark = "[green]ok[/green]" if found["ok"] else "[red]not ok[/red]"
            says = " ".join(part for part in (mark, escape(found.get("detail", "")), escape(facts)) if part)
            table.add_row(name if row == 0 else "", report["status"] if row == 0 else "", check, says)
    show(table, markup=True)
    return all(report["status"] == "ready" for report in reports.values())


def _place(told: str) -> tuple[str, str]:
    name, equals, url = told.partition("=")
    if not equals or "://" not in url:
        raise Told(f"{told!r} does not say where a service is. Example: --at intake=http://127.0.0.1:8081")
    return name, url


async def _ask(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    try:
        answer = await client.get(f"{url.rstrip('/')}/readyz")
        told = answer.json()
    except httpx.HTTPError as trouble:
        return {"status": f"no answer: {trouble or type(trouble).__name__}"}
    except ValueError:
        return {"status": "an answer that is not JSON"}
    return told if isinstance(told, dict) and "status" in told else {"status": "an answer of something else"}
