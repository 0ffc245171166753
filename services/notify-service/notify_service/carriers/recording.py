"""Carriers that reach nobody outside: notices in the system, and the recorder that stands where a provider's adapter
for text messages or WeCom will stand. What they took is looked at through ``GET /v1/messages``."""

from collections import deque
from collections.abc import Sequence

from notify_service.carriers.port import Letter, Sent, Tell


class Notices:
    """A notice is delivered when it can be read, which it is as soon as the receipt is recorded."""

    async def send(self, letters: Sequence[Letter], tell: Tell) -> None:
        for letter in letters:
            tell(letter.message_id, Sent(f"notice:{letter.message_id}"))


class Recording:
    """Takes everything and keeps the last `most` letters in memory."""

    def __init__(self, most: int = 1000) -> None:
        self.letters: deque[Letter] = deque(maxlen=most)

    async def send(self, letters: Sequence[Letter], tell: Tell) -> None:
        for letter in letters:
            self.letters.append(letter)
            tell(letter.message_id, Sent(f"recorded:{letter.message_id}"))
