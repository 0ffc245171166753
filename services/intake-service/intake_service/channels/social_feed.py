"""Posts and comments about the house, as a feed adapter found them on 微博, 抖音, 小红书 or elsewhere (A1, F7)."""

import json
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field

from intake_service.channels.kind import Kind
from intake_service.channels.webhook import OPTIONAL_SECRETS, SECRET_NAMES
from intake_service.channels.wire import Label, Url, Wire, Words, line_of, parsed, read
from intake_service.channels.wording import clean_line, placeholder
from intake_service.domain.channels import ChannelSpec, Incoming, Unreadable
from intake_service.domain.message import Content, IncomingMessage, MessageSource, Sender, SenderIdentity, SenderKind
from intake_service.domain.record import Attachment
from intake_service.domain.text import Identifier, Instant
from shared.contracts.vocabulary import Channel

MAX_ITEMS = 100
MAX_MEDIA = 20
#: Leaves room for the platform before it.
OuterId = Annotated[Identifier, Field(max_length=200)]

EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "platform": "weibo",
            "post_id": "5032871234567890",
            "author": {"id": "1760000001", "name": "小城吃货", "followers": 120034},
            "url": "https://weibo.com/1760000001/5032871234567890",
            "text": "等了四十分钟，送来的是别人的餐，客服电话没人接。",
            "made_at": "2024-05-10T09:58:00+08:00",
            "media": [{"url": "https://wx1.sinaimg.cn/large/abc.jpg", "media_type": "image/jpeg"}],
        },
        {
            "platform": "weibo",
            "post_id": "5032872234567891",
            "parent_id": "5032871234567890",
            "root_id": "5032871234567890",
            "author": {"id": "1760000001", "name": "小城吃货"},
            "text": "已经一个小时了，还是没人联系我。",
            "made_at": "2024-05-10T10:14:00+08:00",
        },
    ]
}


class Platform(StrEnum):
    WEIBO = "weibo"
    DOUYIN = "douyin"
    XIAOHONGSHU = "xiaohongshu"
    OTHER = "other"


NAMES = {
    Platform.WEIBO: ("微博", "Weibo"),
    Platform.DOUYIN: ("抖音", "Douyin"),
    Platform.XIAOHONGSHU: ("小红书", "Xiaohongshu"),
    Platform.OTHER: ("社交媒体", "Social media"),
}


class Author(Wire):
    id: Annotated[OuterId, Field(description="The platform's id of the author.")]
    name: Label = ""
    followers: Annotated[int, Field(strict=True, ge=0, le=10**12)] | None = None


class Media(Wire):
    url: Url
    media_type: Annotated[str, Field(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}$")] = "application/octet-stream"

    @property
    def attachment(self) -> Attachment:
        """A link: the file stays where it is."""
        name = clean_line(urlsplit(self.url).path.rpartition("/")[2])
        return Attachment(name=name or "media", media_type=self.media_type, url=self.url)


class Item(Wire):
    """A post, or a comment with its `parent_id`: the post or comment that it answers."""

    platform: Platform
    post_id: Annotated[OuterId, Field(description="The platform's id of the post or comment.")]
    parent_id: OuterId | None = None
    root_id: OuterId | None = Field(None, description="The post at the top. Default: the parent.")
    author: Author
    url: Url | None = None
    text: Words = ""
    made_at: Annotated[Instant, Field(description="When it was published: F7 counts from then on.")]
    media: Annotated[tuple[Media, ...], Field(max_length=MAX_MEDIA)] = ()

    @property
    def words(self) -> str:
        return self.text or (placeholder("图片或视频", "Picture or video") if self.media else "")

    @property
    def scene(self) -> str:
        """Where it stands and who wrote it, as agents read them."""
        followers = "" if self.author.followers is None else f"粉丝 followers {self.author.followers}"
        lines = (line_of(*NAMES[self.platform], self.url or ""), line_of("作者", "Author", self.author.name, followers))
        return "\n".join(filter(None, lines))

    def named(self, outer_id: str) -> str:
        """Ids mean something on their own platform alone."""
        return f"{self.platform}:{outer_id}"


class Posts(Wire):
    """What a feed adapter found since it last asked; finding it again does no harm."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    items: Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)]


def split(raw: bytes) -> list[bytes] | None:
    """Each item as it came, so that one that can't be read spoils no other; None where it is no list of items."""
    body = parsed(raw)
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        return None
    return [json.dumps(each).encode() for each in items]


def incoming(spec: ChannelSpec, raw: bytes) -> Incoming:
    """One item, whatever it is."""
    item = read(Item, raw)
    if isinstance(item, Unreadable):
        return Incoming(item, raw)
    root = item.root_id or item.parent_id or item.post_id
    message = IncomingMessage(
        source=MessageSource(
            channel=Channel.SOCIAL,
            account=spec.account,
            message_id=item.named(item.post_id),
            thread_id=item.named(root),
            reply_to=item.named(item.parent_id) if item.parent_id else None,
        ),
        sender=Sender(
            identities=(SenderIdentity(kind=SenderKind.HANDLE, value=item.named(item.author.id)),),
            name=item.author.name,
        ),
        content=Content(text=item.words, scene=item.scene),
        occurred_at=item.made_at,
        attachments=tuple(each.attachment for each in item.media),
    )
    return Incoming(message, raw)


KIND = Kind("social_feed", Channel.SOCIAL, secret_names=SECRET_NAMES, optional_secrets=OPTIONAL_SECRETS, read=incoming)
