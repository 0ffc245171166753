"""WebSockets as the server speaks them."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Sockets(WebSocketsSansIOProtocol):
    """uvicorn's, except that a peer who does not read any more is cut off once the application has given it up: a
    closing that waits for the peer to read would wait for ever."""

    def on_task_complete(self, task: "asyncio.Task[Any]") -> None:
        super().on_task_complete(task)
        if not self.writable.is_set():
            self.transport.abort()
