"""Connections of the load: each is kept, and has one thing under way at a time."""

import asyncio
import json
from typing import Protocol, cast

from benchmarks.job import MAILBOX


class Sink(Protocol):
    """Whoever wants the answers."""

    def answered(self, connection: "Connection", began: float, status: int, body: bytes) -> None: ...

    def lost(self, error: Exception | None) -> None: ...


class Connection(asyncio.Protocol):
    def __init__(self, load: Sink) -> None:
        self._load = load
        self._heard = b""
        self._began = 0.0
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(exc)

    def send(self, request: bytes, began: float) -> None:
        self._began = began
        self._transport.write(request)

    def _answered(self, status: int, body: bytes) -> None:
        self.answers += 1
        self._load.answered(self, self._began, status, body)


class Posting(Connection):
    """HTTP: a request is sent as it is."""

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._heard = b""
        self._answered(int(head[9:12]), body)


class Mailing(Connection):
    """SMTP: a request is a mail. The answer is told as HTTP would tell it: 202 with the receipt's id, else its code."""

    def __init__(self, load: Sink) -> None:
        super().__init__(load)
        self._is_greeted = False
        self._to_say: list[bytes] = []

    def send(self, request: bytes, began: float) -> None:
        self._began = began
        sender = f"MAIL FROM:<bounces@example.com> SIZE={len(request)}\r\n".encode()
        envelope = (sender, f"RCPT TO:<{MAILBOX}>\r\n".encode(), b"DATA\r\n")
        self._to_say = [*envelope, request + b"\r\n.\r\n"]
        if self._is_greeted:
            self._transport.write(self._to_say.pop(0))

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n" in self._heard:
            line, _, self._heard = self._heard.partition(b"\r\n")
            if line[3:4] != b"-":
                self._told(int(line[:3]), line[4:])

    def _told(self, code: int, text: bytes) -> None:
        if code == 220:
            self._transport.write(b"EHLO load.example\r\n")
        elif code >= 400:
            self._answered(code, text)
        elif not self._is_greeted and not self._to_say:
            self._is_greeted = True
        elif self._to_say:
            self._is_greeted = True
            self._transport.write(self._to_say.pop(0))
        else:
            # 2.0.0, the receipt's id, its status
            self._answered(202, json.dumps({"id": text.split()[1].decode()}).encode())
