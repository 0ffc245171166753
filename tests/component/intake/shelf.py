"""A provider for the tests: a file with a list of messages, fetched two at a time. Run as a program it is a process of
intake that fetches until it is killed: ``python -m tests.component.intake.shelf``."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from intake_service.channels import KINDS, ChannelFault, Kind, OpenChannel, PullSettings
from intake_service.domain.channels import Incoming, Json, Pulled, Unreadable
from intake_service.domain.message import IncomingMessage
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Channel


class ShelfSettings(PullSettings):
    path: str
    step: int = 2


def incoming(stated: Any) -> Incoming:
    raw = json.dumps(stated).encode()
    try:
        return Incoming(IncomingMessage.model_validate_json(raw), raw)
    except ValidationError:
        return Incoming(Unreadable(Bilingual(zh="不是消息", en="It is no message")), raw)


def _stock(path: str) -> list[Any]:
    stock: list[Any] = json.loads(Path(path).read_text())
    return stock


async def pull(channel: OpenChannel, cursor: Json | None) -> AsyncIterator[Pulled]:
    """What stands on the shelf as null exists and can't be fetched."""
    at = cursor["next"] if cursor else 0
    while True:
        try:
            stock = _stock(channel.settings.path)
        except FileNotFoundError as error:
            raise ChannelFault("The shelf is away; put it back.") from error
        step = stock[at : at + channel.settings.step]
        if step:
            at += len(step)
            arrived = [incoming(each) for each in step if each is not None]
            yield Pulled(arrived, {"next": at}, exists=len(step), waiting=len(stock) - at)
        else:
            await asyncio.sleep(0.02)
            yield Pulled([], {"next": at}, waiting=0)


KIND = Kind("shelf", Channel.EMAIL, ShelfSettings, pull=pull)


async def _one_life() -> None:
    from intake_service.settings import Settings
    from intake_service.usecases import Puller, make_deps
    from shared.clock import SystemClock
    from shared.ids import new_id
    from shared.service import open_database

    KINDS[KIND.name] = KIND
    settings = Settings(token_secret="a secret of the tests")
    database = open_database("intake", settings)
    await Puller(make_deps(database, SystemClock(), new_id, settings)).pull_channels()


if __name__ == "__main__":
    asyncio.run(_one_life())
