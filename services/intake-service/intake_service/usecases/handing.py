"""What a configured channel hands in: understood, in doubt, or unreadable, it is kept (A8)."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError

from intake_service.domain.channels import ChannelSpec, Incoming, Unreadable
from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import Content, Doubt, IncomingMessage, MessageSource, Raw, Reason, Sender, doubt
from intake_service.domain.record import MAX_ATTACHMENTS, Attachment
from intake_service.domain.text import Identifier
from intake_service.domain.views import DeliveryReceipt
from intake_service.store.reception import is_of_the_data
from intake_service.usecases.arrival import Arrival
from intake_service.usecases.attachments import keep_file
from intake_service.usecases.channels import principal_of
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import AttachmentTooLarge, ReceptionBusy, StoreAway
from intake_service.usecases.files import RAW_NAME
from intake_service.usecases.messages import NO_KEY, arrived, received
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Channel
from shared.telemetry.logs import describe
from shared.telemetry.tracing import current_traceparent
from shared.web.errors import Problem

log = structlog.get_logger()

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
_MAIL = "message/rfc822"
#: Characters of an id that is known, where the beginning of a hash is put behind it.
_SHORT = 200


async def hand_in(
    channel: ChannelSpec, message: IncomingMessage | Unreadable, raw: bytes, deps: Deps
) -> DeliveryReceipt:
    """`hand_over` of a message without a fingerprint of its own."""
    return await hand_over(channel, Incoming(message, raw), deps)


async def hand_over(channel: ChannelSpec, incoming: Incoming, deps: Deps) -> DeliveryReceipt:
    """The receipt, after the commit. Nothing is refused for what it says: what breaks a rule is in quarantine, with
    its bytes and the reason. Raises `ReceptionBusy`, and what the database raises: then nothing is sure.
    """
    incoming = await with_files(channel, incoming, deps)
    try:
        answer = await received(arrival_of(channel, incoming, deps), deps)
    except (ReceptionBusy, StoreAway, OSError):
        raise
    except (Problem, DBAPIError, ValueError) as error:
        if not isinstance(error, Problem) and not is_of_the_data(error):
            raise
        answer = await received(refused(channel, incoming, error, deps), deps)
    return DeliveryReceipt.model_validate_json(bytes(answer.body))


async def with_files(channel: ChannelSpec, incoming: Incoming, deps: Deps) -> Incoming:
    """With its files in the store and named by the message, and a mail as it came where it is large. What is
    more than a message may have, or larger than a file may be, stays in the bytes as they came. Raises `StoreAway`:
    hand it in again."""
    message = incoming.message
    if isinstance(message, Unreadable):
        return incoming
    if channel.channel is Channel.EMAIL and len(incoming.raw) > deps.settings.raw_inline_bytes:
        with suppress(AttachmentTooLarge):
            told = await keep_file(_once(incoming.raw), RAW_NAME, _MAIL, principal_of(channel), deps)
            message = message.model_copy(update={"raw": Raw(sha256=told.sha256, media_type=_MAIL)})
            incoming = replace(incoming, message=message, stored=told.sha256)
    if not incoming.files:
        return incoming
    kept: list[Attachment] = []
    for file in incoming.files[: MAX_ATTACHMENTS - len(message.attachments)]:
        with suppress(AttachmentTooLarge):
            told = await keep_file(_once(file.content), file.name, file.media_type, principal_of(channel), deps)
            kept.append(Attachment(id=told.id))
    named = message.model_copy(update={"attachments": (*message.attachments, *kept)})
    return replace(incoming, message=named, files=())


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def arrival_of(channel: ChannelSpec, incoming: Incoming, deps: Deps) -> Arrival:
    """What is to be written of an arrival. Never raises for what it says."""
    message = incoming.message
    if isinstance(message, Unreadable):
        return _set_aside(
            channel,
            incoming,
            _identifier(message.message_id) or _digest(incoming.raw),
            doubt(Reason.UNREADABLE, "", message.why),
            deps,
        )
    try:
        made = arrived(message, incoming.raw, principal_of(channel), NO_KEY, deps)
    except Exception as error:  # whatever a message does to its reader, it is kept and the next one is taken
        return refused(channel, incoming, error, deps)
    return replace(
        made,
        channel_id=channel.channel_id,
        owner=channel.owner_team,
        envelope=message.model_dump_json().encode() if made.doubts or made.automatic else None,
        fingerprint=incoming.fingerprint or made.fingerprint,
        body_sha256=incoming.stored,
        twins=_twins(channel, message, deps) if incoming.fingerprint else frozenset(),
    )


def _twins(channel: ChannelSpec, message: IncomingMessage, deps: Deps) -> frozenset[NaturalKey]:
    """The same mail in other accounts (sent to two of our addresses), as this process knows them. No other provider
    gives a message to two accounts."""
    source = message.source
    if source.channel is not Channel.EMAIL:
        return frozenset()
    accounts = {kept.spec.account for kept in deps.channels.kept.values() if kept.spec.channel is source.channel}
    return frozenset((source.channel, account, source.message_id) for account in accounts - {source.account})


def refused(channel: ChannelSpec, incoming: Incoming, error: Exception, deps: Deps) -> Arrival:
    """For quarantine, under an id of its own: what the store did not take, or what has another message's id."""
    message = incoming.message
    known = _identifier(message.message_id if isinstance(message, Unreadable) else message.source.message_id)
    if not isinstance(error, Problem):
        log.warning("arrival refused", channel=channel.channel_id, exception=describe(error))
    why = f"{error.title}: {error.detail}" if isinstance(error, Problem) else type(error).__name__
    digest = _digest(incoming.raw)
    message_id = f"{known[:_SHORT]}~{digest[7:23]}" if known else digest
    told = doubt(Reason.REFUSED, "", Bilingual(zh=f"被拒绝：{why}", en=f"It was refused: {why}"))
    return _set_aside(channel, incoming, message_id, told, deps)


def _set_aside(channel: ChannelSpec, incoming: Incoming, message_id: str, told: Doubt, deps: Deps) -> Arrival:
    readable = incoming.message if isinstance(incoming.message, IncomingMessage) else None
    source = MessageSource(channel=channel.channel, account=_account(channel, readable), message_id=message_id)
    return Arrival(
        message=_empty(source, deps.clock.now()),
        delivery=None,
        doubts=(told,),
        body=incoming.raw,
        fingerprint=hashlib.sha256(incoming.raw).digest(),
        actor=principal_of(channel).actor,
        once=NO_KEY,
        traceparent=current_traceparent(),
        channel_id=channel.channel_id,
        owner=channel.owner_team,
        envelope=readable.model_dump_json().encode() if readable is not None else None,
    )


def _account(channel: ChannelSpec, message: IncomingMessage | None) -> str:
    return channel.account if message is None else message.source.account


def _empty(source: MessageSource, now: datetime) -> IncomingMessage:
    return IncomingMessage(source=source, sender=Sender(), content=Content(), occurred_at=now)


def _identifier(stated: str | None) -> str | None:
    """What is stated, where it can be a message's id."""
    if stated is None:
        return None
    try:
        return _IDENTIFIER.validate_python(stated)
    except ValidationError:
        return None


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
