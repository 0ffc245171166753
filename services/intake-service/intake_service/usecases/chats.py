"""Live chat (A1): opening one, what is said in it by both sides, and reading it.

A8: what the visitor says is received as every message of a channel is, and gets its place in the transcript in the same
transaction; the client's own id makes a message that is sent again the same one. What an agent says is a message on the
complaint's thread, so clocks hear of it.
"""

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.channels import ChannelFault
from intake_service.channels.chat import KIND, SITE_SECRET, BadIdentity, read_identity
from intake_service.domain import chat as rules
from intake_service.domain.channels import ChannelSpec, Incoming
from intake_service.domain.chat import (
    VISITOR,
    Accepted,
    ChatFile,
    ChatState,
    Entry,
    EntryType,
    NewChatMessage,
    OpenChat,
    OpenedChat,
    Presence,
    Transcript,
    Visitor,
)
from intake_service.domain.files import Purpose, link_token, read_link
from intake_service.domain.record import NewMessage, StatedChannel
from intake_service.domain.views import AttachmentReceipt, DeliveryReceipt
from intake_service.groupcommit import RaceLost
from intake_service.store import chats as store
from intake_service.usecases import chatfiles
from intake_service.usecases.attachments import keep_file
from intake_service.usecases.channels import current, principal_of, serving
from intake_service.usecases.conversation import write_message
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import (
    ASK_OPERATORS,
    BadChatToken,
    BadVisitorIdentity,
    ChannelAway,
    ChatEnded,
    MessageKeyReused,
    NoSuchChannel,
    NoSuchChat,
    NothingSaidYet,
    NotYourChat,
    ReceptionBusy,
    UnknownAttachment,
)
from intake_service.usecases.handing import arrival_of
from intake_service.usecases.pulling import write
from shared.contracts.vocabulary import Channel
from shared.web.auth import Principal
from shared.web.body import json_bytes
from shared.web.errors import Problem
from shared.web.idempotency import Answered

PAGE = 200


@dataclass(frozen=True, slots=True)
class Guest:
    """The visitor of one chat, by the token."""

    chat_id: UUID


Party = Guest | Principal


def author_of(party: Party) -> str:
    return VISITOR if isinstance(party, Guest) else rules.author_of(party.subject)


async def open_chat(channel_id: str, asked: OpenChat, deps: Deps) -> OpenedChat:
    """A chat in which nothing was said yet: it is no complaint. Raises `NoSuchChannel`, `BadVisitorIdentity`,
    `ChannelAway`."""
    try:
        channel = await serving(KIND.name, channel_id, deps)
    except ChannelFault as fault:
        raise ChannelAway(ASK_OPERATORS) from fault
    now = deps.clock.now()
    visitor = Visitor()
    if asked.identity is not None:
        secret = channel.secrets.get(SITE_SECRET)
        if secret is None:
            raise BadVisitorIdentity(f"The channel has no secret {SITE_SECRET!r}; leave identity out.")
        try:
            visitor = read_identity(asked.identity, secret, now)
        except BadIdentity as error:
            raise BadVisitorIdentity(str(error), pointer="/identity") from error
    chat_id, expires_at = deps.ids(), (now + timedelta(hours=deps.settings.chat_token_hours)).replace(microsecond=0)
    row = {
        "id": chat_id,
        "channel_id": channel_id,
        "account": channel.spec.account,
        "visitor": visitor.model_dump(mode="json"),
        "language": asked.language,
        "state": ChatState.SILENT,
        "since": now,
        "opened_at": now,
        "queue": channel.spec.owner_team,
    }
    async with deps.session() as tx:
        await store.insert_chat(tx, row)
    token = link_token(chat_id, expires_at, deps.settings.token_secret.get_secret_value(), Purpose.CHAT)
    return OpenedChat(chat_id=chat_id, token=token, expires_at=expires_at)


def guest_of(token: str, chat_id: UUID, deps: Deps) -> Guest:
    """Raises `BadChatToken`."""
    told = read_link(token, deps.settings.token_secret.get_secret_value(), Purpose.CHAT)
    if told is None or told[0] != chat_id:
        raise BadChatToken("It was not given for this chat.")
    if told[1] <= deps.clock.now():
        raise BadChatToken("It has expired; open another chat.")
    return Guest(chat_id)


async def keep_visitors_file(
    stream: AsyncIterable[bytes], name: str, stated_type: str, guest: Guest, deps: Deps
) -> AttachmentReceipt:
    """A file that the visitor may name in this chat. Raises `NoSuchChat`, `ChatEnded`, and what `keep_file` raises."""

    async def check(tx: AsyncSession) -> None:
        _going(await found(tx, guest.chat_id, held=True))

    async with deps.reading() as tx:
        chat = _going(await found(tx, guest.chat_id))
    principal = principal_of(await _channel(chat, deps))
    return await keep_file(stream, name, stated_type, principal, deps, chat_id=guest.chat_id, check=check)


async def say(chat_id: UUID, said: NewChatMessage, party: Party, deps: Deps) -> Accepted:
    """Its place in the transcript, after the commit; the same again is answered with the same place.

    Raises `NoSuchChat`, `ChatEnded`, `MessageKeyReused`, `UnknownAttachment`, `ReceptionBusy`; of an agent
    `NothingSaidYet`, `NotYourChat`, and what `write_message` raises.
    """
    seq = await (_ask(chat_id, said, deps) if isinstance(party, Guest) else _answer(chat_id, said, party, deps))
    deps.chats.touched(chat_id)
    return Accepted(message_id=said.message_id, seq=seq)


async def _ask(chat_id: UUID, said: NewChatMessage, deps: Deps) -> int:
    async with deps.reading() as tx:
        chat = await found(tx, chat_id)
        worded = said
        # What was received before is answered as it was then, though its files may be gone.
        if said.files and await store.find_message(tx, chat_id, VISITOR, said.message_id) is None:
            worded = await chatfiles.with_wording(tx, chat_id, said, by_visitor=True)
    channel = await _channel(chat, deps)
    now = deps.clock.now()
    visitor = Visitor.model_validate(chat["visitor"])
    message = rules.incoming(chat_id, chat["account"], visitor, chat["language"], worded, now)
    arrival = arrival_of(channel, Incoming(message, json_bytes(said)), deps)
    placed: list[int] = []

    async def enter(tx: AsyncSession, answers: Sequence[Answered | Problem]) -> None:
        (answer,) = answers
        if isinstance(answer, Problem):
            raise _another(answer)
        receipt = DeliveryReceipt.model_validate_json(answer.body)
        held = await found(tx, chat_id, held=True)
        seq = await store.find_message(tx, chat_id, VISITOR, said.message_id)
        if seq is None:
            changes: dict[str, Any] = {}
            if held["complaint_id"] is None and receipt.complaint is not None:
                changes["complaint_id"] = receipt.complaint.id
            if held["state"] == ChatState.SILENT:
                changes |= {"state": ChatState.WAITING, "since": now}
            seq = await add(tx, held, _message(said, chat_id, VISITOR, "", now), changes)
        placed.append(seq)

    try:
        await write([replace(arrival, fingerprint=rules.fingerprint(said))], enter, deps)
    except RaceLost as error:
        raise ReceptionBusy("Nothing was kept. Send it again in a few seconds.") from error
    return placed[-1]


async def _channel(chat: RowMapping, deps: Deps) -> ChannelSpec:
    channel = (await current(deps)).get(chat["channel_id"])
    if channel is None:
        raise NoSuchChannel(f"No channel has the id {chat['channel_id']}.")
    return channel.spec


async def _answer(chat_id: UUID, said: NewChatMessage, agent: Principal, deps: Deps) -> int:
    author, now = rules.author_of(agent.subject), deps.clock.now()
    async with deps.session() as tx:
        chat = await found(tx, chat_id)
        if chat["complaint_id"] is None:
            raise NothingSaidYet("There is no complaint to answer yet.")
        stated = StatedChannel(
            channel=Channel.CHAT,
            account=chat["account"],
            message_id=rules.delivery_of(chat_id, author, said.message_id),
        )
        worded = await chatfiles.with_wording(tx, chat_id, said, by_visitor=False)
        files = rules.attachments_of(said)
        message = NewMessage(direction="outbound", channel=stated, text=worded.text, attachments=files)
        try:
            written, repeated = await write_message(tx, chat["complaint_id"], message, agent, deps)
        except UnknownAttachment as gone:
            raise _another(gone) from gone
        held = await found(tx, chat_id, held=True)
        if repeated and not _is_same(written, worded):
            raise _another(None)
        seq = await store.find_message(tx, chat_id, author, said.message_id)
        if seq is None:
            in_charge(held, agent)
            seq = await add(tx, held, _message(said, chat_id, author, agent.name, now), {})
    return seq


def _is_same(written: Mapping[str, Any] | RowMapping, said: NewChatMessage) -> bool:
    return written["text"] == said.text and [each["id"] for each in written["attachments"]] == [*map(str, said.files)]


def _another(problem: Problem | None) -> Problem:
    if isinstance(problem, UnknownAttachment):  # swept between the look and the commit
        return chatfiles.unknown((problem.errors[0].pointer or "").rpartition("/")[2])
    if problem is not None and not isinstance(problem, MessageKeyReused):
        return problem
    return MessageKeyReused("Another message of this chat has this id.", pointer="/message_id")


def _message(said: NewChatMessage, chat_id: UUID, author: str, name: str, now: Any) -> dict[str, Any]:
    return {
        "type": EntryType.MESSAGE,
        "author": author,
        "name": name,
        "message_id": said.message_id,
        "delivery": rules.delivery_of(chat_id, author, said.message_id),
        "data": {},
        "at": now,
    }


async def add(tx: AsyncSession, held: RowMapping, entry: dict[str, Any], changes: dict[str, Any]) -> int:
    """Raises `ChatEnded`."""
    return await store.append(tx, _going(held)["id"], entry, changes)


def _going(chat: RowMapping) -> RowMapping:
    """Raises `ChatEnded`."""
    if chat["state"] == ChatState.ENDED:
        raise ChatEnded("Open another one.")
    return chat


def in_charge(chat: RowMapping, agent: Principal) -> None:
    """Raises `ChatEnded`, `NotYourChat`."""
    if _going(chat)["agent"] is None or chat["agent"]["id"] != agent.subject:
        raise NotYourChat("Join it first.")


async def found(tx: AsyncSession, chat_id: UUID, *, held: bool = False) -> RowMapping:
    """Raises `NoSuchChat`."""
    row = await store.find(tx, chat_id, held=held)
    if row is None:
        raise NoSuchChat(f"No chat has the id {chat_id}.")
    return row


async def read_chat(chat_id: UUID, after: int, limit: int, party: Party, deps: Deps) -> Transcript:
    """What stands behind `after`. Raises `NoSuchChat`."""
    async with deps.reading() as tx:
        return await _read(tx, chat_id, after, limit, party, deps)


async def news(chat_id: UUID, after: int, party: Party, deps: Deps) -> tuple[Transcript, tuple[Presence, ...]]:
    """What stands behind `after`, a page of it, and who is there. Raises `NoSuchChat`."""
    async with deps.reading() as tx:
        transcript = await _read(tx, chat_id, after, PAGE, party, deps)
        return transcript, await present(tx, chat_id, deps)


async def present(tx: AsyncSession, chat_id: UUID, deps: Deps) -> tuple[Presence, ...]:
    pulse = (await store.pulses(tx, [chat_id], deps.clock.now())).get(chat_id, store.Pulse())
    return tuple(
        Presence(role=rules.role_of(author), name=name, typing=typing) for author, name, typing in pulse.present
    )


async def _read(tx: AsyncSession, chat_id: UUID, after: int, limit: int, party: Party, deps: Deps) -> Transcript:
    chat = await found(tx, chat_id)
    name = Visitor.model_validate(chat["visitor"]).display
    rows = await store.transcript(tx, chat_id, after, limit)
    inside = not isinstance(party, Guest)
    files = await chatfiles.told(tx, rows, deps, inside=inside)
    entries = (_entry(row, name, of_row, inside=inside) for row, of_row in zip(rows, files, strict=True))
    return Transcript(state=chat["state"], data=tuple(entries))


def _entry(row: RowMapping, visitor: str, files: tuple[ChatFile, ...] | None, *, inside: bool) -> Entry:
    by_visitor = row["author"] == VISITOR
    return Entry(
        type=row["type"],
        seq=row["seq"],
        at=row["at"],
        author=rules.role_of(row["author"]),
        name=visitor if by_visitor else row["name"],
        message_id=row["message_id"],
        text=row["text"] if row["type"] == EntryType.MESSAGE else None,
        files=files,
        **(row["data"] if inside else {}),
    )
