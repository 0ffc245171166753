"""Live chat at the agents' desk: who waits, who takes whom, handing over, ending; and who is there."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping

from intake_service.domain.chat import ChatState, ChatView, EntryType, HandOver, PresentChat, Visitor
from intake_service.store import chats as store
from intake_service.usecases.chathub import Listener
from intake_service.usecases.chats import Guest, Party, add, author_of, found, in_charge, present
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import ChatTaken, NothingSaidYet
from shared.contracts.envelope import Actor
from shared.web.auth import Principal, Role

#: Seconds for which a socket is believed to be open, and how often that is said again.
PRESENT_SECONDS = 45.0
REFRESH_SECONDS = 15.0
TYPING_SECONDS = 6.0
TIDY_SECONDS = 3600.0


async def list_chats(
    state: ChatState, queue: str | None, after: tuple[datetime, UUID] | None, limit: int, deps: Deps
) -> Sequence[ChatView]:
    """Whoever is longest in the state comes first."""
    async with deps.reading() as tx:
        rows = await store.page_of(tx, state, queue, after, limit)
    return [ChatView(**_shown(row)) for row in rows]


async def show_chat(chat_id: UUID, deps: Deps) -> PresentChat:
    """Raises `NoSuchChat`."""
    async with deps.reading() as tx:
        row = await found(tx, chat_id)
        return PresentChat(**_shown(row), present=await present(tx, chat_id, deps))


async def join_chat(chat_id: UUID, agent: Principal, deps: Deps) -> ChatView:
    """Take charge of a chat that waits. A second time changes nothing. Raises `NoSuchChat`, `NothingSaidYet`,
    `ChatTaken`, `ChatEnded`."""
    async with deps.session() as tx:
        chat = await found(tx, chat_id, held=True)
        if chat["state"] == ChatState.SILENT:
            raise NothingSaidYet("There is nothing to answer yet.")
        own = chat["agent"] is not None and chat["agent"]["id"] == agent.subject
        if chat["state"] == ChatState.JOINED and not own:
            raise ChatTaken(f"{chat['agent']['name'] or chat['agent']['id']} is in charge of it.")
        if chat["offered_to"] not in (None, agent.subject) and not agent.has(Role.LEAD):
            raise ChatTaken(f"It was handed over to {chat['offered_to']}; a lead may take it all the same.")
        if not own:
            actor = agent.actor.model_dump(mode="json")
            await _move(chat, EntryType.JOINED, agent, deps, tx, state=ChatState.JOINED, agent=actor, offered_to=None)
        chat = await found(tx, chat_id)
    deps.chats.touched(chat_id)
    return ChatView(**_shown(chat))


async def hand_over(chat_id: UUID, to: HandOver, agent: Principal, deps: Deps) -> ChatView:
    """It waits again, for one agent or for whoever looks after a queue. Raises `NoSuchChat`, `ChatEnded`,
    `NothingSaidYet`, `NotYourChat` (a lead may hand over everybody's)."""
    async with deps.session() as tx:
        chat = await found(tx, chat_id, held=True)
        if chat["state"] == ChatState.SILENT:
            raise NothingSaidYet("There is nothing to hand over yet.")
        if not agent.has(Role.LEAD):
            in_charge(chat, agent)
        await _move(
            chat,
            EntryType.HANDED_OVER,
            agent,
            deps,
            tx,
            data=to.model_dump(exclude_defaults=True),
            state=ChatState.WAITING,
            agent=None,
            offered_to=to.agent,
            queue=to.queue or chat["queue"],
        )
        chat = await found(tx, chat_id)
    deps.chats.touched(chat_id)
    return ChatView(**_shown(chat))


async def end_chat(chat_id: UUID, party: Party, deps: Deps) -> None:
    """By its visitor, by the agent in charge, or by a lead. A second time changes nothing. Raises `NoSuchChat`,
    `NotYourChat`."""
    async with deps.session() as tx:
        chat = await found(tx, chat_id, held=True)
        if chat["state"] == ChatState.ENDED:
            return
        if isinstance(party, Principal) and not party.has(Role.LEAD):
            in_charge(chat, party)
        await _move(chat, EntryType.ENDED, party, deps, tx, state=ChatState.ENDED, agent=None, offered_to=None)
    deps.chats.touched(chat_id)


async def _move(
    chat: RowMapping,
    what: EntryType,
    by: Party,
    deps: Deps,
    tx: Any,
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    now = deps.clock.now()
    name = "" if isinstance(by, Guest) else by.name
    entry = {"type": what, "author": author_of(by), "name": name, "data": data or {}, "at": now}
    await add(tx, chat, entry, {**changes, "since": now})


def _shown(row: RowMapping) -> dict[str, Any]:
    visitor = Visitor.model_validate(row["visitor"])
    kept = ("channel_id", "state", "since", "opened_at", "language", "queue", "offered_to", "complaint_id", "last_seq")
    return {
        **{name: row[name] for name in kept},
        "chat_id": row["id"],
        "visitor": visitor.display,
        "identified": visitor.identified,
        "agent": row["agent"] and Actor.model_validate(row["agent"]),
    }


async def enter(chat_id: UUID, party: Party, deps: Deps) -> Listener:
    """Somebody is there by a socket of this process; `leave` must follow. Raises `NoSuchChat`."""
    async with deps.session() as tx:
        chat = await found(tx, chat_id)
        visitor = Visitor.model_validate(chat["visitor"]).display
        name = visitor if isinstance(party, Guest) else party.name
        listener = Listener(deps.ids(), chat_id, author_of(party), name)
        await store.keep_present(tx, [_there(listener, deps)])
    deps.chats.add(listener)
    deps.chats.touched(chat_id)
    return listener


async def leave(listener: Listener, deps: Deps) -> None:
    deps.chats.remove(listener)
    async with deps.session() as tx:
        await store.forget_present(tx, listener.socket_id)
    deps.chats.touched(listener.chat_id)


async def typing(listener: Listener, deps: Deps) -> None:
    """Believed for some seconds, and written once in half of them."""
    now = deps.clock.now()
    until = listener.typing_until
    if until is not None and until - now > timedelta(seconds=TYPING_SECONDS / 2):
        return
    listener.typing_until = now + timedelta(seconds=TYPING_SECONDS)
    async with deps.session() as tx:
        await store.keep_present(tx, [_there(listener, deps)])
    deps.chats.touched(listener.chat_id)


def _there(listener: Listener, deps: Deps) -> dict[str, Any]:
    return {
        "socket_id": listener.socket_id,
        "chat_id": listener.chat_id,
        "author": listener.author,
        "name": listener.name,
        "until": deps.clock.now() + timedelta(seconds=PRESENT_SECONDS),
        "typing_until": listener.typing_until,
    }


async def keep_chats_told(deps: Deps) -> None:
    """Runs for ever: sees what other processes committed (one look for all sockets), says who is here, tidies up."""
    tidy_at = 0.0
    while True:
        if time.monotonic() >= tidy_at:
            tidy_at = time.monotonic() + TIDY_SECONDS
            async with deps.session() as tx:
                await store.tidy(tx, deps.clock.now(), timedelta(hours=deps.settings.chat_token_hours))
        if deps.chats.chats:
            await look(deps)
        await asyncio.sleep(deps.settings.chat_poll_seconds)


async def look(deps: Deps) -> None:
    hub = deps.chats
    if hub.refresh_is_due(REFRESH_SECONDS) and (listeners := hub.listeners):
        async with deps.session() as tx:
            await store.keep_present(tx, [_there(each, deps) for each in listeners])
    async with deps.reading() as tx:
        pulses = await store.pulses(tx, hub.chats, deps.clock.now())
    hub.heard(pulses)
