"""Where messages belong (A8): what the rules of `domain.threading` need to know, asked for a whole batch at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.message import Automatic, IncomingMessage, wording
from intake_service.domain.person import Identity
from intake_service.domain.threading import Known, Placement, noted, placement, quoted_numbers
from intake_service.settings import Settings
from intake_service.store import receipts as store
from intake_service.store.reception import find_persons
from shared.replies import Replies, Use, token_of_message_id


@dataclass(frozen=True, slots=True)
class Signed:
    """The complaints that a message names by tokens of ours: that of its reply address, that of the bounce address, and
    those of the mails of ours that it answers."""

    reply: UUID | None = None
    bounce: UUID | None = None
    mails: tuple[UUID, ...] = ()

    @property
    def all(self) -> tuple[UUID, ...]:
        return tuple(each for each in (self.reply, self.bounce, *self.mails) if each is not None)


def signed_by_us(message: IncomingMessage, settings: Settings) -> Signed:
    if settings.reply_secret is None:
        return Signed()
    replies = Replies(settings.reply_secret.get_secret_value().encode())
    source = message.source
    named = [
        found
        for answered in (source.reply_to, source.thread_id)
        if answered and (token := token_of_message_id(answered)) and (found := replies.read(token))
    ]
    mails = tuple(dict.fromkeys(complaint_id for use, complaint_id in named if use is Use.MAIL))
    match replies.read(source.reply_token or ""):
        case (Use.REPLY, complaint_id):
            return Signed(reply=complaint_id, mails=mails)
        case (Use.BOUNCE, complaint_id):
            return Signed(bounce=complaint_id, mails=mails)
        case _:
            return Signed(mails=mails)


def is_automatic(message: IncomingMessage, settings: Settings) -> Automatic | None:
    """What comes to a bounce address, or says that it is a mail of ours, is a machine's whatever else it says."""
    signed = signed_by_us(message, settings)
    own = token_of_message_id(message.source.message_id)
    if own and settings.reply_secret and Replies(settings.reply_secret.get_secret_value().encode()).read(own):
        return Automatic.OURS
    return message.automatic or (Automatic.BOUNCE if signed.bounce else None)


async def place(
    tx: AsyncSession,
    messages: Sequence[IncomingMessage],
    senders: Sequence[Sequence[Identity]],
    automatic: Sequence[bool],
    settings: Settings,
) -> tuple[list[Placement], dict[Identity, UUID]]:
    """Where each belongs, and whose the identities are; `senders` are those of whoever sent it."""
    if not messages:
        return [], {}
    threads = await store.find_threads(tx, [message.source for message in messages])
    quotes = [quoted_numbers(wording(message.content)) for message in messages]
    signed = [signed_by_us(message, settings) for message in messages]
    named = {name for each in quotes for name in each} | {name for each in signed for name in each.all}
    known = await store.find_named(tx, named)
    identities = {identity for each in senders for identity in each}
    owners = await find_persons(tx, sorted(identities))
    placements: list[Placement] = []
    for threaded, numbers, ours, sender, machine in zip(threads, quotes, signed, senders, automatic, strict=True):
        persons = {owners[identity] for identity in sender if identity in owners}
        answered = [*_known(ours.mails, known), *threaded]
        if machine:
            vouched = _known(ours.all, known)
            placements.append(noted(vouched, threaded, persons))
        else:
            invited = known.get(ours.reply) if ours.reply else None
            placements.append(placement(answered, _known(numbers, known), persons, invited))
    return placements, owners


def _known(names: Sequence[str | UUID], known: Mapping[str | UUID, Known]) -> list[Known]:
    return [known[name] for name in names if name in known]
