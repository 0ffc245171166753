"""The kinds of channels, each a module with its wire format and client. To add one is to add it to `KINDS`."""

from intake_service.channels import chat, cti, dingtalk, in_app, service_point, social_feed, wecom
from intake_service.channels.email.kinds import IMAP, SMTP
from intake_service.channels.kind import (
    ChannelFault,
    Fetch,
    FetchLater,
    Kind,
    NoSettings,
    NotFetched,
    OpenChannel,
    Pull,
    PullSettings,
    Read,
)
from shared.contracts.vocabulary import Channel

#: By name. `api` is whoever posts to `POST /v1/messages` with a key of theirs.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("web_form", Channel.WEB_FORM),
        Kind("api", None),
        SMTP,
        IMAP,
        wecom.KIND,
        dingtalk.KIND,
        cti.KIND,
        in_app.KIND,
        social_feed.KIND,
        service_point.KIND,
        chat.KIND,
    )
}

__all__ = [
    "KINDS",
    "ChannelFault",
    "Fetch",
    "FetchLater",
    "Kind",
    "NoSettings",
    "NotFetched",
    "OpenChannel",
    "Pull",
    "PullSettings",
    "Read",
]
