"""Callbacks of providers that sign what they send: whose they are, how old they are, and what follows (A8)."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from intake_service.channels import ChannelFault
from intake_service.channels.dingtalk.kind import files, incoming
from intake_service.channels.dingtalk.messages import check_signature
from intake_service.channels.signed import Forged, Stale
from intake_service.channels.wecom.crypto import Malformed, Signed, encrypted_of, hint_of
from intake_service.channels.wecom.hints import HINTS
from intake_service.channels.wecom.kind import crypto_of
from intake_service.usecases.channels import SecretAway, serving
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import ASK_OPERATORS, ChannelAway, ForgedCallback, StaleCallback
from intake_service.usecases.handing import hand_over
from intake_service.usecases.media import CALLED, with_media
from shared.web.errors import BadRequest

#: How old a signature may be: nobody replays a callback that they saw yesterday.
MAX_AGE = timedelta(minutes=5)


@contextmanager
def refusals() -> Generator[None]:
    try:
        yield
    except Forged:
        raise ForgedCallback("It was not signed with the secret of this channel, or not for it.") from None
    except Stale:
        raise StaleCallback("Signatures are good for five minutes; are the clocks right?") from None
    except Malformed as error:
        raise BadRequest(f"It is not what the provider's documentation describes: {error}.") from None
    except SecretAway:
        raise ChannelAway(ASK_OPERATORS, retry_after=60) from None
    except ChannelFault as error:
        raise ChannelAway(str(error), retry_after=60) from None


async def verify_wecom(channel_id: str, signed: Signed, echo: str, deps: Deps) -> bytes:
    """What WeCom wants to read back before it believes that the address is ours.

    Raises `NoSuchChannel`, `ForgedCallback`, `StaleCallback`, `ChannelAway`.
    """
    with refusals():
        channel = await serving("wecom", channel_id, deps)
        opened = crypto_of(channel).open(echo, signed)
        signed.check_age(deps.clock.now(), MAX_AGE)
        return opened


async def hear_wecom(channel_id: str, signed: Signed, body: bytes, deps: Deps) -> None:
    """Wakes whoever fetches the channel. Raises what `verify_wecom` raises, and `BadRequest`."""
    with refusals():
        channel = await serving("wecom", channel_id, deps)
        message = crypto_of(channel).open(encrypted_of(body), signed)
        signed.check_age(deps.clock.now(), MAX_AGE)
        hint = hint_of(message)
        if hint.account in (None, channel.spec.account):
            HINTS.ring(channel_id, hint.token)


async def receive_dingtalk(channel_id: str, sign: str, timestamp: str, body: bytes, deps: Deps) -> None:
    """Keeps what the robot was told, with its files; what can't be read is in quarantine.

    Raises `NoSuchChannel`, `ForgedCallback`, `StaleCallback`, `ChannelAway`, `ReceptionBusy`, `StoreAway`.
    """
    with refusals():
        channel = await serving("dingtalk", channel_id, deps)
        check_signature(sign, timestamp, channel.secrets["app_secret"], deps.clock.now(), MAX_AGE)
    arrived = incoming(channel.spec, body)
    if arrived.media:
        async with files(channel) as fetch:
            (arrived,) = await with_media(channel.spec, [arrived], fetch, CALLED, deps)
    await hand_over(channel.spec, arrived, deps)
