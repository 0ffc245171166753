"""WeCom 企业微信 and DingTalk 钉钉 as their public documents describe them, on a port of 127.0.0.1.

Written from the documents and not from our code: encryption, signatures, limits and error codes are its own. What the
documents leave open is as strict here as it may be. The real hosts are not called by any test.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import socket
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CORP_ID = "ww0123456789abcdef"
CORP_SECRET = "a-secret-of-the-tests"
CALLBACK_TOKEN = "QDG6eKtests"
ENCODING_AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
ACCOUNT = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
CUSTOMER = "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw"
ROBOT_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
DAY = 86_400


def customer_says(
    message_id: str, at: float, words: Any = "你好", sender: Any = CUSTOMER, **body: Any
) -> dict[str, Any]:
    """An item of `msg_list`. `body` is a type with its part in place of a text: `image={"media_id": …}`."""
    kind, told = next(iter(body.items())) if body else ("text", {"content": words})
    return {
        "msgid": message_id,
        "open_kfid": ACCOUNT,
        "external_userid": sender,
        "send_time": int(at),
        "origin": 3,
        "msgtype": kind,
        kind: told,
    }


def event(message_id: str, at: float, event_type: str, **told: Any) -> dict[str, Any]:
    """An item of `msg_list` by the system."""
    inside = {"event_type": event_type, "open_kfid": ACCOUNT, "external_userid": CUSTOMER, **told}
    return {"msgid": message_id, "send_time": int(at), "origin": 4, "msgtype": "event", "event": inside}


def encrypted(message: bytes, receiver: str = CORP_ID, key: str = ENCODING_AES_KEY) -> str:
    """A message as the platform encrypts it."""
    aes = base64.b64decode(key + "=")
    plain = os.urandom(16) + len(message).to_bytes(4, "big") + message + receiver.encode()
    count = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(aes), modes.CBC(aes[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()


def callback_query(cipher: str, at: float, nonce: str = "263014780", token: str = CALLBACK_TOKEN) -> dict[str, str]:
    """The query string that goes with a cipher text."""
    signed = "".join(sorted([token, str(int(at)), nonce, cipher]))
    return {
        "msg_signature": hashlib.sha1(signed.encode()).hexdigest(),
        "timestamp": str(int(at)),
        "nonce": nonce,
    }


def callback(
    at: float, sync_token: str = "ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR"
) -> tuple[dict[str, str], str]:
    """(query, body) of "there is something to pull"."""
    inside = (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><CreateTime>{int(at)}</CreateTime>"
        "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
        f"<Token><![CDATA[{sync_token}]]></Token><OpenKfId><![CDATA[{ACCOUNT}]]></OpenKfId></xml>"
    )
    cipher = encrypted(inside.encode())
    body = (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><Encrypt><![CDATA[{cipher}]]></Encrypt>"
        "<AgentID><![CDATA[1000002]]></AgentID></xml>"
    )
    return callback_query(cipher, at), body


@dataclass
class Platform:
    """What stands on the other side. `now` is its clock; tests set it."""

    now: float
    #: What `sync_msg` has to tell, oldest first, and how many of it at most it tells at once.
    items: list[Any] = field(default_factory=list)
    most: int = 1000
    #: So many next answers of `sync_msg` are empty and say that there is more.
    hollow: int = 0
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    #: errcode for the next calls, by path, before anything else is looked at.
    refusals: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    #: Bodies in place of the next answers, by path.
    babble: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    #: Calls by path, with their JSON.
    calls: list[tuple[str, Any]] = field(default_factory=list)
    sync_tokens: set[str] = field(default_factory=set)
    url: str = ""
    _tokens: dict[str, float] = field(default_factory=dict)
    _bare_syncs: list[float] = field(default_factory=list)
    _sent: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    _robot: list[float] = field(default_factory=list)
    #: DingTalk's sessions and when they end.
    sessions: dict[str, float] = field(default_factory=dict)
    #: DingTalk's files, by download code, and how often its access tokens were ended before their time.
    codes: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    dingtalk_ends: int = 0
    #: Calls of `sync_msg` without a token that are let through in a minute.
    bare_syncs_a_minute: int = 60

    def expire_tokens(self) -> None:
        self._tokens = dict.fromkeys(self._tokens, self.now - 1)

    def calls_of(self, path: str) -> list[Any]:
        return [told for called, told in self.calls if called == path]

    async def gettoken(self, request: Request) -> Response:
        asked = request.query_params
        self.calls.append((request.url.path, dict(asked)))
        if (refused := self._refused(request)) is not None:
            return refused
        if asked.get("corpid") != CORP_ID:
            return _says(40013, "invalid corpid")
        if asked.get("corpsecret") != CORP_SECRET:
            return _says(40001, "invalid credential")
        # The same token again while it is good, as documented.
        token = next((known for known, until in self._tokens.items() if until > self.now), None)
        if token is None:
            token = base64.urlsafe_b64encode(os.urandom(32)).decode()
            self._tokens[token] = self.now + 7200
        return _says(0, "ok", access_token=token, expires_in=int(self._tokens[token] - self.now))

    async def sync_msg(self, request: Request) -> Response:
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        if asked.get("open_kfid") != ACCOUNT:
            return _says(95000, "invalid open_kfid")
        if asked.get("token"):
            if asked["token"] not in self.sync_tokens:
                return _says(95007, "invalid msg token")
        else:
            self._bare_syncs = [at for at in self._bare_syncs if at > self.now - 60] + [self.now]
            if len(self._bare_syncs) > self.bare_syncs_a_minute:
                return _says(45009, "api freq out of limit")
        kept = [place for place, item in enumerate(self.items) if self._sent_at(item) > self.now - 3 * DAY]
        oldest = kept[0] if kept else len(self.items)
        start = max(oldest, int(asked.get("cursor") or "c0", 36) - int("c0", 36))
        if self.hollow:
            self.hollow -= 1
            return _says(0, "ok", next_cursor=_cursor(start), has_more=1, msg_list=[])
        end = min(len(self.items), start + min(self.most, asked.get("limit", 1000)))
        return _says(
            0, "ok", next_cursor=_cursor(end), has_more=int(end < len(self.items)), msg_list=self.items[start:end]
        )

    def _sent_at(self, item: Any) -> float:
        """What is no time is as good as now: tests put anything in the place of an item."""
        at = item.get("send_time") if isinstance(item, dict) else None
        return at if isinstance(at, int | float) else self.now

    async def send_msg(self, request: Request) -> Response:
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        message_id = asked.get("msgid", "made-by-the-platform")
        if not re.fullmatch(r"[0-9a-zA-Z_-]{0,32}", message_id):
            return _says(40058, "invalid msgid")
        if asked.get("open_kfid") != ACCOUNT:
            return _says(95000, "invalid open_kfid")
        if len(asked.get("text", {}).get("content", "").encode()) > 2048:
            return _says(40058, "content size out of limit")
        to = asked["touser"]
        last = max((item["send_time"] for item in self.items if item.get("external_userid") == to), default=None)
        if last is None or last < self.now - 2 * DAY:
            return _says(95002, "send msg time limit")
        if sum(at >= last for at, _ in self._sent[to]) >= 5:
            return _says(95001, "send msg count limit")
        self._sent[to].append((self.now, asked["text"]["content"]))
        return _says(0, "ok", msgid=message_id)

    def sent_to(self, customer: str) -> list[str]:
        return [text for _, text in self._sent[customer]]

    async def media_get(self, request: Request) -> Response:
        self.calls.append((request.url.path, dict(request.query_params)))
        if (refused := self._refused(request) or self._signed_out(request)) is not None:
            return refused
        found = self.files.get(request.query_params.get("media_id", ""))
        if found is None:
            return _says(40007, "invalid media_id")
        name, media_type, data = found
        return Response(
            data,
            headers={
                "Content-Type": media_type,
                "Content-disposition": f'attachment; filename="{name.encode().decode("latin-1")}"',
            },
        )

    async def robot(self, request: Request) -> Response:
        told = await request.json()
        self.calls.append((request.url.path, told))
        if (refused := self._refused(request)) is not None:
            return refused
        if request.query_params.get("key") != ROBOT_KEY:
            return _says(93000, "invalid webhook url")
        self._robot = [at for at in self._robot if at > self.now - 60]
        if len(self._robot) >= 20:
            return _says(45009, "api freq out of limit")
        self._robot.append(self.now)
        return _says(0, "ok")

    async def send_by_session(self, request: Request) -> Response:
        told = await request.json()
        self.calls.append((request.url.path, told))
        if (refused := self._refused(request)) is not None:
            return refused
        if self.sessions.get(request.query_params.get("session", ""), 0) <= self.now:
            return _says(300005, "session is not exist or expired")
        return _says(0, "ok")

    async def dingtalk_token(self, request: Request) -> Response:
        told = await request.json()
        self.calls.append((request.url.path, told))
        if told != {"appKey": "dingtests", "appSecret": APP_SECRET}:
            return JSONResponse({"code": "invalidClientIdOrSecret", "message": "无效的clientId或者clientSecret"}, 400)
        return JSONResponse({"accessToken": f"at-{self.dingtalk_ends}", "expireIn": 7200})

    async def dingtalk_address(self, request: Request) -> Response:
        told = await request.json()
        self.calls.append((request.url.path, told))
        if request.headers.get("x-acs-dingtalk-access-token") != f"at-{self.dingtalk_ends}":
            return JSONResponse({"code": "InvalidAuthentication", "message": "不合法的access_token"}, 401)
        if told["robotCode"] != "dingtests" or told["downloadCode"] not in self.codes:
            return JSONResponse({"code": "invalidParameter.downloadCode", "message": "downloadCode无效"}, 400)
        at = "http://169.254.169.254/x" if told["downloadCode"] == "elsewhere" else f"{self.url}/file"
        return JSONResponse({"downloadUrl": f"{at}?code={told['downloadCode']}"})

    async def dingtalk_file(self, request: Request) -> Response:
        media_type, data = self.codes[request.query_params["code"]]
        return Response(data, headers={"Content-Type": media_type})

    async def _asked(self, request: Request) -> dict[str, Any] | Response:
        told = await request.json()
        self.calls.append((request.url.path, told))
        return self._refused(request) or self._signed_out(request) or told

    def _refused(self, request: Request) -> Response | None:
        if babble := self.babble[request.url.path]:
            return Response(babble.pop(0), media_type="application/json")
        waiting = self.refusals[request.url.path]
        return _says(waiting.pop(0), "as the test wants it") if waiting else None

    def _signed_out(self, request: Request) -> Response | None:
        until = self._tokens.get(request.query_params.get("access_token", ""))
        if until is None:
            return _says(40014, "invalid access_token")
        return _says(42001, "access_token expired") if until <= self.now else None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/cgi-bin/gettoken", self.gettoken),
                Route("/cgi-bin/kf/sync_msg", self.sync_msg, methods=["POST"]),
                Route("/cgi-bin/kf/send_msg", self.send_msg, methods=["POST"]),
                Route("/cgi-bin/media/get", self.media_get),
                Route("/cgi-bin/webhook/send", self.robot, methods=["POST"]),
                Route("/v1.0/oauth2/accessToken", self.dingtalk_token, methods=["POST"]),
                Route("/v1.0/robot/messageFiles/download", self.dingtalk_address, methods=["POST"]),
                Route("/file", self.dingtalk_file),
                Route("/robot/sendBySession", self.send_by_session, methods=["POST"]),
            ]
        )


def _cursor(place: int) -> str:
    """Opaque to whoever does not know it: base 36 after a fixed head."""
    digits, number = "", place + int("c0", 36)
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _says(code: int, text: str, **more: Any) -> Response:
    """Always 200: what went wrong is told by errcode alone. In ASCII, so that half a character can be told too."""
    return Response(json.dumps({"errcode": code, "errmsg": text, **more}), media_type="application/json")


@asynccontextmanager
async def served(platform: Platform) -> AsyncGenerator[Platform]:
    """The platform on a free port of 127.0.0.1, in this process."""
    server = uvicorn.Server(uvicorn.Config(platform.app(), host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    platform.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield platform
    finally:
        server.should_exit = True
        await task


APP_SECRET = "this is a secret of a robot"


def dingtalk_headers(at: float, secret: str = APP_SECRET) -> dict[str, str]:
    """The headers of a callback by DingTalk at that Unix time."""
    timestamp = str(round(at * 1000))
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode(), "Content-Type": "application/json"}


def dingtalk_says(message_id: str, at: float, text: str = "订单打不开", **changes: Any) -> dict[str, Any]:
    """What DingTalk posts when somebody writes to the robot."""
    return {
        "msgId": message_id,
        "msgtype": "text",
        "text": {"content": f" {text}"},
        "createAt": round(at * 1000),
        "conversationType": "2",
        "conversationId": "cidl2bWgaU1ZvG3xQ7tests==",
        "conversationTitle": "售后群",
        "senderId": "$:LWCP_v1:$Ff09GIxxxxx",
        "senderNick": "杨女士",
        "senderStaffId": "user123",
        "senderCorpId": "dinge8a565tests",
        "chatbotCorpId": "dinge8a565tests",
        "chatbotUserId": "$:LWCP_v1:$Cxxxxx",
        "robotCode": "dingtests",
        "isAdmin": False,
        "isInAtList": True,
        "atUsers": [{"dingtalkId": "$:LWCP_v1:$Cxxxxx"}],
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=0123456789abcdef",
        "sessionWebhookExpiredTime": round((at + 5400) * 1000),
        **changes,
    }


def as_json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()
