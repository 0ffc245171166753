"""Files that lie at a provider for a while, fetched before their messages are written (A2, A8).

Invariant: a file that can't be fetched takes nothing from its message: a line in both languages stands in its place.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from intake_service.channels import Fetch, FetchLater, NotFetched
from intake_service.channels.wording import placeholder
from intake_service.domain.channels import ChannelSpec, Incoming, Media
from intake_service.domain.message import MAX_TEXT, IncomingMessage, wording
from intake_service.domain.record import MAX_ATTACHMENTS, Attachment
from intake_service.usecases.attachments import keep_file
from intake_service.usecases.channels import principal_of
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import AttachmentTooLarge
from intake_service.usecases.messages import fingerprint
from shared.contracts.envelope import Bilingual

log = structlog.get_logger()

#: Files of a batch that are fetched at once; each has one block in memory.
AT_ONCE = 4
_ATTEMPTS = 5
_FIRST_PAUSE = 1.0
_AWAY = Bilingual(zh="暂时无法取回", en="its provider did not give it")
_TOO_MANY = Bilingual(
    zh=f"一条消息最多保留 {MAX_ATTACHMENTS} 个文件", en=f"a message has at most {MAX_ATTACHMENTS} files"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for one file, for a batch, and for a file when the batch has taken so long."""

    file: float
    batch: float
    at_least: float


#: Long enough to wait once where a provider wants a minute's peace.
FETCHING = Patience(file=90, batch=300, at_least=5)
#: While the provider waits for our answer.
CALLED = Patience(file=8, batch=8, at_least=1)


async def with_media(
    channel: ChannelSpec, arrived: Sequence[Incoming], fetch: Fetch | None, patience: Patience, deps: Deps
) -> list[Incoming]:
    """With their files in the store and named by the messages. Whatever is fetched or not, it is the same message when
    it is delivered again. Raises `StoreAway`: nothing of them is to be written then."""
    if fetch is None or not any(incoming.media for incoming in arrived):
        return list(arrived)
    loop, seats = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)
    until = loop.time() + patience.batch

    async def fetched(media: Media) -> Attachment | Bilingual:
        async with seats:
            seconds = max(patience.at_least, min(patience.file, until - loop.time()))
            try:
                async with asyncio.timeout(seconds):
                    return await _fetched(channel, media, fetch, deps)
            except TimeoutError:
                return _AWAY

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [[group.create_task(fetched(media)) for media in _wanted(each)] for each in arrived]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [
        _completed(channel, each, [task.result() for task in of_it]) for each, of_it in zip(arrived, tasks, strict=True)
    ]


def _wanted(incoming: Incoming) -> Sequence[Media]:
    if not isinstance(incoming.message, IncomingMessage):
        return ()
    return incoming.media[: MAX_ATTACHMENTS - len(incoming.message.attachments)]


async def _fetched(channel: ChannelSpec, media: Media, fetch: Fetch, deps: Deps) -> Attachment | Bilingual:
    pause = _FIRST_PAUSE
    for attempt in range(_ATTEMPTS):
        try:
            async with fetch(media) as file:
                kept = await keep_file(file.chunks, file.name, file.media_type, principal_of(channel), deps)
            return Attachment(id=kept.id)
        except NotFetched as refusal:
            return refusal.why
        except AttachmentTooLarge:
            most = f"{deps.settings.max_attachment_bytes:,}"
            return Bilingual(zh=f"超过 {most} 字节", en=f"it is larger than {most} bytes")
        except FetchLater as error:
            log.warning("file not fetched yet", channel=channel.channel_id, reason=str(error))
            if attempt + 1 < _ATTEMPTS:
                await asyncio.sleep(max(error.seconds, pause))
                pause *= 2
    return _AWAY


def _completed(channel: ChannelSpec, incoming: Incoming, told: Sequence[Attachment | Bilingual]) -> Incoming:
    message = incoming.message
    if not incoming.media or not isinstance(message, IncomingMessage):
        return incoming
    count = len(incoming.media)
    answers = [*told, *[_TOO_MANY] * (count - len(told))]
    notes = [_note(each, place, count) for place, each in enumerate(answers, 1) if isinstance(each, Bilingual)]
    kept = [each for each in answers if isinstance(each, Attachment)]
    content = message.content.model_copy(update={"text": "\n".join(filter(None, (message.content.text, *notes)))})
    if notes:
        log.warning("files of a message not fetched", channel=channel.channel_id, count=len(notes))
        if len(wording(content)) > MAX_TEXT:  # a message is not put aside for a line of ours
            content = message.content
    named = message.model_copy(update={"content": content, "attachments": (*message.attachments, *kept)})
    same = incoming.fingerprint or fingerprint(message)
    return replace(incoming, message=named, media=(), fingerprint=same)


def _note(why: Bilingual, place: int, count: int) -> str:
    number = f" {place}/{count} " if count > 1 else ""
    return placeholder(f"文件{number}未取回：{why.zh}。", f"File{number.rstrip()} was not fetched: {why.en}.")
