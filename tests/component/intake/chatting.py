"""A chat as its visitor and its agents meet it: over real sockets, on two processes of one installation."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import SimpleNamespace

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from intake_service.main import service
from shared.service.run import listen, server_for
from shared.web.auth import Role
from tests.support.web import client_of, token_of

CHANNEL = {
    "kind": "chat",
    "account": "shop",
    "title": {"zh": "商城客服", "en": "The shop's chat"},
    "owner_team": "chat-team",
    "secrets": {"site": "env:INTAKE_SECRET_SITE"},
}
SITE = "the site's secret"


class Socket:
    """A client that keeps what it was told."""

    def __init__(self, connection):
        self.connection = connection

    async def send(self, **frame):
        await self.connection.send(json.dumps(frame))

    async def say(self, message_id, text):
        await self.send(type="message", message_id=message_id, text=text)

    async def next(self, kind=None):
        """The next frame of this kind; others are passed over."""
        async with asyncio.timeout(10):
            while True:
                frame = json.loads(await self.connection.recv())
                if kind is None or frame["type"] == kind:
                    return frame

    async def until(self, kind, **wanted):
        while True:
            frame = await self.next(kind)
            if all(frame[name] == value for name, value in wanted.items()):
                return frame

    async def closed(self):
        try:
            while True:
                await self.next()
        except ConnectionClosed:
            return self.connection.close_code


class Chat:
    def __init__(self, intake, urls, servers):
        self.intake, self.urls, self.servers = intake, urls, servers

    async def open(self, **body):
        async with client_of(self.intake.services[0].app) as client:
            answer = await client.post("/v1/channels/site/chats", json=body)
        assert answer.status_code == 201, answer.text
        return SimpleNamespace(**answer.json())

    async def said(self, chat, message_id, text="", process=0, **more):
        async with client_of(self.intake.services[process].app) as client:
            headers = {"X-Chat-Token": chat.token}
            body = {"message_id": message_id, "text": text, **more}
            return await client.post(f"/v1/chats/{chat.chat_id}/messages", json=body, headers=headers)

    async def act(self, chat, what, body=None, agent="agent-li", role=Role.AGENT):
        client = await self.intake.client(role, subject=agent)
        return await client.post(f"/v1/chats/{chat.chat_id}/{what}", **({"json": body} if body else {}))

    @asynccontextmanager
    async def socket(self, chat, after=0, process=0, agent=None, **hello) -> AsyncGenerator[Socket]:
        url = f"{self.urls[process]}/v1/chats/{chat.chat_id}/socket?after={after}"
        shown = hello or ({"bearer": token_of(Role.AGENT, subject=agent)} if agent else {"token": chat.token})
        async with connect(url, close_timeout=1) as connection:
            socket = Socket(connection)
            with suppress(ConnectionClosed):
                await socket.send(type="hello", **shown)
            yield socket

    async def upload(self, chat, content, name="照片.png", process=0):
        async with client_of(self.intake.services[process].app) as client:
            path, headers = f"/v1/chats/{chat.chat_id}/files", {"X-Chat-Token": chat.token}
            return await client.post(path, params={"name": name}, content=content, headers=headers)

    async def entries(self, chat, after=0):
        async with client_of(self.intake.services[1].app) as client:
            path = f"/v1/chats/{chat.chat_id}/messages?after={after}"
            return (await client.get(path, headers={"X-Chat-Token": chat.token})).json()["data"]

    async def transcript(self, chat, after=0):
        return [(each["seq"], each["type"], each.get("text")) for each in await self.entries(chat, after)]


@asynccontextmanager
async def chatting(intake, **changes) -> AsyncGenerator[Chat]:
    """A chat's channel on two processes that listen, with these settings changed."""
    settings = intake.services[0].settings.model_copy(update={"chat_poll_seconds": 0.05, **changes})
    answer = await (await intake.client(Role.ADMIN)).put("/v1/channels/site", json=CHANNEL)
    assert answer.status_code == 201, answer.text
    intake._known.clear()
    intake.services = [service(settings, intake.clock, None) for _ in range(2)]
    async with AsyncExitStack() as stack:
        urls, servers = [], []
        for each in intake.services:
            await each.start()
            stack.push_async_callback(each.stop)
            listening = listen("127.0.0.1", 0)
            server = server_for(each.app)
            servers.append(server)
            serving = asyncio.create_task(server.serve([listening]))
            stack.push_async_callback(_ended, server, serving)
            urls.append(f"ws://127.0.0.1:{listening.getsockname()[1]}")
        yield Chat(intake, urls, servers)


async def _ended(server, serving):
    server.should_exit = True
    await serving
