"""Answers in the chat programs that customers and colleagues use: WeCom 企业微信 and DingTalk 钉钉.

A text that is longer than a message may be goes out as several. A message's id follows from ours, so an attempt that is
made again names the same one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx
import structlog

from notify_service.carriers.port import Carrier, Closed, Later, Letter, Refused, Result, Sent, Tell
from shared.errcode import ErrCode, TryLater, WeComApi, request

log = structlog.get_logger()

#: Bytes of a text: of `kf/send_msg` and of a group robot.
MAX_BYTES = 2048
#: What may pass, or is a matter of our configuration: 40001 secret, 40013 company, 48002 rights, 95000 service account,
#: 95001 five messages since the customer's last one, 95018 a colleague has the conversation.
_MAY_PASS = frozenset({40001, 40013, 48002, 95000, 95001, 95018})
#: The customer can't be written to: 40096 they are gone, 95002 silent for 48 hours, 95013 the conversation was ended;
#: 300005 the session of DingTalk is over.
_CLOSED = frozenset({40096, 95002, 95013, 300005})


class CustomerService:
    """微信客服: to customers who wrote in the last 48 hours, five messages after each of theirs."""

    def __init__(self, api: WeComApi, account: str | None) -> None:
        self._api = api
        self._account = account

    async def __call__(self, letter: Letter) -> str:
        account = letter.account or self._account
        if account is None:
            raise TryLater("NOTIFY_WECOM_OPEN_KFID is not set")
        for place, text in enumerate(parts_of(letter.text)):
            answer = await self._api.post(
                "/cgi-bin/kf/send_msg",
                {
                    "touser": letter.address,
                    "open_kfid": account,
                    "msgid": letter.message_id.hex if place == 0 else f"{letter.message_id.hex[:28]}-{place}",
                    "msgtype": "text",
                    "text": {"content": text},
                },
            )
        return f"wecom:{answer.get('msgid', '')}"


class GroupRobot:
    """A robot in a group of colleagues, which names the one who is meant; twenty messages a minute."""

    def __init__(self, http: httpx.AsyncClient, host: str, key: str) -> None:
        self._http = http
        self._url = f"{host.rstrip('/')}/cgi-bin/webhook/send"
        self._key = key

    async def __call__(self, letter: Letter) -> str:
        for text in parts_of(letter.text):
            told = {"msgtype": "text", "text": {"content": text, "mentioned_list": [letter.address]}}
            await request(self._http, "POST", self._url, params={"key": self._key}, json=told)
        return "wecom:robot"


class NotTheirs(Exception):
    """An address that a message gave as DingTalk's leads elsewhere."""


class SessionWebhook:
    """DingTalk: the address that came with the customer's message takes answers for about ninety minutes."""

    def __init__(self, http: httpx.AsyncClient, host: str) -> None:
        self._http = http
        self._host = httpx.URL(host)

    async def __call__(self, letter: Letter) -> str:
        if not self._is_theirs(letter.address):
            raise NotTheirs
        await request(self._http, "POST", letter.address, json={"msgtype": "text", "text": {"content": letter.text}})
        return "dingtalk:session"

    def _is_theirs(self, address: str) -> bool:
        """What a message said is called only where it leads to DingTalk."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            return False
        host = self._host
        return (url.scheme, url.host, url.port, url.userinfo) == (host.scheme, host.host, host.port, b"")


Way = Callable[[Letter], Awaitable[str]]


class Chat:
    """One letter after the other, by the way of its audience; `otherwise` takes what has none."""

    def __init__(self, ways: Mapping[str, Way], otherwise: Carrier) -> None:
        self._ways = ways
        self._otherwise = otherwise

    async def send(self, letters: Sequence[Letter], tell: Tell) -> None:
        await self._otherwise.send([letter for letter in letters if letter.audience not in self._ways], tell)
        for letter in letters:
            if (way := self._ways.get(letter.audience)) is not None:
                tell(letter.message_id, await _result(way, letter))


async def _result(way: Way, letter: Letter) -> Result:
    try:
        return Sent(await way(letter))
    except TryLater as error:
        return Later(str(error))
    except NotTheirs:
        return Refused("the session webhook is not of NOTIFY_DINGTALK_HOST")
    except ErrCode as error:
        if error.code in _CLOSED and letter.complaint_id is not None:
            return Closed(str(error))
        return Later(str(error)) if error.code in _MAY_PASS else Refused(str(error))


def parts_of(text: str, most: int = MAX_BYTES) -> list[str]:
    """The text in pieces of at most so many bytes of UTF-8, where it can be at ends of lines."""
    parts: list[str] = []
    rest = text.strip()
    while len(rest.encode()) > most:
        cut = rest.encode()[:most].decode(errors="ignore")
        at = cut.rfind("\n")
        piece = cut[:at] if at > 0 else cut
        parts.append(piece)
        rest = rest[len(piece) :].lstrip("\n")
    return [*parts, rest] if rest else parts
