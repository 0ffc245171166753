"""A process of intake that fetches until `LIFE_UNTIL` messages were taken: ``python -m …wecom_life``."""

import asyncio
import os

from sqlalchemy import text

from intake_service.settings import Settings
from intake_service.usecases import Puller, make_deps
from shared.clock import SystemClock
from shared.ids import new_id
from shared.service import open_database


async def _one_life() -> None:
    settings = Settings(token_secret="a secret of the tests")
    database = open_database("intake", settings)
    task = asyncio.create_task(Puller(make_deps(database, SystemClock(), new_id, settings)).pull_channels())
    for _ in range(400):
        async with database.reading() as tx:
            if (await tx.execute(text("select taken from channel_states"))).scalar() == int(os.environ["LIFE_UNTIL"]):
                break
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    await database.close()


if __name__ == "__main__":
    asyncio.run(_one_life())
