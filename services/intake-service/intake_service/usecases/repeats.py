"""Who sends the same text, as one process sees it."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from intake_service.domain.spam import MANY_SENDERS, alike

REMEMBERED = timedelta(hours=1)


@dataclass
class _Text:
    at: datetime
    senders: set[object] = field(default_factory=set)


class Repeats:
    """Who sent the same text within an hour, as far as this process received it; of 10,000 texts at most."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._texts: OrderedDict[bytes, _Text] = OrderedDict()

    def senders(self, text: str, sender: object, now: datetime) -> int:
        """How many senders it has by now, this one among them; 1 for a text that says too little."""
        if (plain := alike(text)) is None:
            return 1
        key = hashlib.sha256(plain.encode("utf-8", "replace")).digest()
        known = self._texts.get(key)
        if known is None or now - known.at > REMEMBERED:
            known = self._texts[key] = _Text(now)
            if len(self._texts) > self._most:
                self._texts.popitem(last=False)
        if len(known.senders) < MANY_SENDERS:
            known.senders.add(sender)
        return len(known.senders)
