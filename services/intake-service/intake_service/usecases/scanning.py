"""Files go to the virus scanner after they were kept; until it has passed them they are not given out.

Invariant: a file that came while a scanner was set is scanned, however long that is away, and whoever dies on it.
"""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from intake_service.blobs import BlobsAway, CannotScan, Clamd, NoSuchBlob, ScannerAway
from intake_service.domain.views import Scan
from intake_service.store import attachments as store
from intake_service.usecases.deps import Deps

log = structlog.get_logger()

#: Seconds between two looks for what other processes took in, or left behind.
POLL = 10.0
#: Seconds to wait after the first failure, doubled after each, up to the longest.
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0


async def keep_scanning(deps: Deps) -> None:
    """Runs for ever: has every file scanned that waits for it. Without a scanner it only waits."""
    while True:
        deps.unscanned.clear()
        while deps.scanner is not None and await scan_next(deps.scanner, deps):
            pass
        try:
            await asyncio.wait_for(deps.unscanned.wait(), POLL if deps.scanner else None)
        except TimeoutError:
            continue


async def scan_next(scanner: Clamd, deps: Deps) -> bool:
    """Have one file scanned that is due; False where none is."""
    now = deps.clock.now()
    async with deps.session() as tx:
        row = await store.take_unscanned(tx, now, now + timedelta(seconds=2 * scanner.timeout))
    if row is None:
        return False
    told: dict[str, Any] = {"scan_attempts": row["scan_attempts"] + 1}
    try:
        found = await scanner.scan(deps.blobs.read(row["sha256"]))
        told |= {"scan": Scan.CLEAN if found is None else Scan.INFECTED, "signature": found}
        if found is not None:
            log.warning("the scanner found something in an attachment", sha256=row["sha256"], signature=found)
    except (CannotScan, NoSuchBlob) as error:
        told |= {"scan": Scan.FAILED, "signature": str(error)[:200]}
        log.warning("an attachment cannot be scanned", sha256=row["sha256"], reason=str(error))
    except (ScannerAway, BlobsAway) as error:
        pause = min(FIRST_PAUSE * 2 ** min(row["scan_attempts"], 20), LONGEST_PAUSE)
        told |= {"scan_at": deps.clock.now() + timedelta(seconds=pause)}
        log.warning("the virus scanner does not answer", reason=str(error), again_in_seconds=pause)
    async with deps.session() as tx:
        await store.tell_scan(tx, row["sha256"], {**told, "scanned_at": deps.clock.now()})
    return True
