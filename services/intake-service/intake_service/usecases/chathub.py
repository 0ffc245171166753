"""The sockets of this process: who is to be woken when there is news of a chat."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from intake_service.settings import Settings
from intake_service.store.chats import Pulse
from shared.web.ratelimit import Buckets

#: Frames of any kind that a socket may send per second on the average, and how many at once.
FRAMES_PER_SECOND = 10
FRAMES_BURST = 60


@dataclass(eq=False)
class Listener:
    """An open socket. `wake` is set when there may be news for it."""

    socket_id: UUID
    chat_id: UUID
    author: str
    name: str
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    typing_until: datetime | None = None


class ChatHub:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listeners: dict[UUID, set[Listener]] = {}
        self._addresses: Counter[str] = Counter()
        self._seen: dict[UUID, Pulse] = {}
        self.refresh_at = 0.0
        self.opening = Buckets(settings.chat_rate_limit_per_second, settings.chat_rate_limit_burst)
        self.saying = Buckets(settings.chat_messages_per_second, settings.chat_messages_burst)
        self.uploading = Buckets(settings.chat_files_per_second, settings.chat_files_burst)
        self.frames = Buckets(FRAMES_PER_SECOND, FRAMES_BURST)

    def enter(self, address: str) -> bool:
        """Whether one more socket is taken; if so, `leave` must follow."""
        full = self._addresses.total() >= self._settings.chat_sockets
        if full or self._addresses[address] >= self._settings.chat_sockets_per_address:
            return False
        self._addresses[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]

    @property
    def sockets(self) -> int:
        return self._addresses.total()

    def add(self, listener: Listener) -> None:
        self._listeners.setdefault(listener.chat_id, set()).add(listener)

    def remove(self, listener: Listener) -> None:
        others = self._listeners.get(listener.chat_id, set())
        others.discard(listener)
        if not others:
            self._listeners.pop(listener.chat_id, None)
            self._seen.pop(listener.chat_id, None)

    @property
    def chats(self) -> frozenset[UUID]:
        return frozenset(self._listeners)

    @property
    def listeners(self) -> list[Listener]:
        return [each for of_chat in self._listeners.values() for each in of_chat]

    def touched(self, chat_id: UUID) -> None:
        """Something of the chat was committed by this process."""
        for listener in self._listeners.get(chat_id, ()):
            listener.wake.set()

    def heard(self, pulses: Mapping[UUID, Pulse]) -> None:
        """What the database says of the chats: those are woken of which it is news."""
        for chat_id in self._listeners:
            pulse = pulses.get(chat_id, Pulse())
            if self._seen.get(chat_id) != pulse:
                self._seen[chat_id] = pulse
                self.touched(chat_id)

    def refresh_is_due(self, every: float) -> bool:
        if time.monotonic() < self.refresh_at:
            return False
        self.refresh_at = time.monotonic() + every
        return True
