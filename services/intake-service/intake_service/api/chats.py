"""Live chat by plain requests: the visitor's side, by the token of the chat, and the agents' desk."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from intake_service import usecases
from intake_service.api.attachments import UPLOAD, StatedDep
from intake_service.api.channels import ChannelIdPath
from intake_service.api.common import READ, WRITE, DepsDep
from intake_service.domain.channels import TeamId
from intake_service.domain.chat import (
    Accepted,
    ChatState,
    ChatView,
    HandOver,
    NewChatMessage,
    OpenChat,
    OpenedChat,
    PresentChat,
    Transcript,
)
from intake_service.domain.views import AttachmentReceipt
from intake_service.usecases import Guest, Party
from intake_service.usecases.errors import (
    AttachmentTooLarge,
    BadChatToken,
    BadVisitorIdentity,
    ChannelAway,
    ChatEnded,
    ChatTaken,
    Erased,
    MessageKeyReused,
    NoSuchChannel,
    NoSuchChat,
    NothingSaidYet,
    NotYourChat,
    ReceptionBusy,
    StoreAway,
    UnknownAttachment,
)
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.errors import Forbidden, TooManyRequests, responses
from shared.web.pages import Page, PagingDep, page
from shared.web.ratelimit import Buckets

router = APIRouter(tags=["chat"])

MAX_SEQ = 2**31 - 1
SAYING = "say"
TOKEN_HEADER = "X-Chat-Token"  # noqa: S105 (a header's name)
ChatIdPath = Annotated[UUID, Path(description="The chat.")]
Body = Annotated[NewChatMessage, Depends(JsonBody(NewChatMessage))]


async def _guest(
    chat_id: ChatIdPath,
    deps: DepsDep,
    token: Annotated[str | None, Header(alias=TOKEN_HEADER, max_length=200, description="The visitor's.")] = None,
) -> Guest:
    if token is None:
        raise BadChatToken(f"Send the chat's token in {TOKEN_HEADER}.")
    return usecases.guest_of(token, chat_id, deps)


async def _party(
    request: Request,
    chat_id: ChatIdPath,
    deps: DepsDep,
    token: Annotated[
        str | None, Header(alias=TOKEN_HEADER, max_length=200, description="The visitor's; agents sign in.")
    ] = None,
) -> Party:
    return await WRITE(request) if token is None else usecases.guest_of(token, chat_id, deps)


PartyDep = Annotated[Party, Depends(_party)]


def take(buckets: Buckets, key: str, policy: str) -> None:
    """Raises `TooManyRequests`, with the headers of the policy of this name."""
    left, wait = buckets.take(key)
    if left < 0:
        raise TooManyRequests(f"Wait {wait} s, then go on.", headers=buckets.headers(policy, left, wait))


@router.post(
    "/v1/channels/{channel_id}/chats",
    status_code=201,
    summary="Open a chat",
    responses=responses(NoSuchChannel, BadVisitorIdentity, ChannelAway, TooManyRequests),
)
async def open_chat(
    request: Request,
    channel_id: ChannelIdPath,
    body: Annotated[OpenChat, Depends(JsonBody(OpenChat))],
    deps: DepsDep,
) -> OpenedChat:
    """For a visitor, who needs no account. It is a complaint as soon as they say something."""
    take(deps.chats.opening, request.client.host if request.client else "?", "open-chat")
    return await usecases.open_chat(channel_id, body, deps)


@router.post(
    "/v1/chats/{chat_id}/files",
    status_code=201,
    summary="Upload a file in a chat",
    openapi_extra=UPLOAD,
    responses=responses(
        BadChatToken, NoSuchChannel, NoSuchChat, ChatEnded, AttachmentTooLarge, TooManyRequests, StoreAway
    ),
)
async def upload_file(
    request: Request, guest: Annotated[Guest, Depends(_guest)], stated: StatedDep, deps: DepsDep
) -> AttachmentReceipt:
    """By its visitor; agents use `POST /v1/attachments`. The body is the file as it is. Name the `id` in `files` of a
    message of this chat within a day."""
    take(deps.chats.uploading, request.client.host if request.client else "?", "attach")
    return await usecases.keep_visitors_file(request.stream(), stated.name, stated.media_type, guest, deps)


@router.post(
    "/v1/chats/{chat_id}/messages",
    status_code=201,
    summary="Say something in a chat",
    responses=responses(
        BadChatToken,
        Forbidden,
        NoSuchChat,
        ChatEnded,
        NotYourChat,
        NothingSaidYet,
        Erased,
        MessageKeyReused,
        UnknownAttachment,
        TooManyRequests,
        ReceptionBusy,
    ),
)
async def say(chat_id: ChatIdPath, party: PartyDep, body: Body, deps: DepsDep) -> Accepted:
    """Kept for good when it is answered. The same `message_id` again is answered with the same place. An agent joins
    first."""
    take(deps.chats.saying, said_by(chat_id, party), SAYING)
    return await usecases.say(chat_id, body, party, deps)


def said_by(chat_id: UUID, party: Party) -> str:
    return f"{chat_id} {party.key if isinstance(party, Principal) else ''}"


@router.get(
    "/v1/chats/{chat_id}/messages",
    summary="What was said in a chat, the oldest first",
    responses=responses(BadChatToken, Forbidden, NoSuchChat),
)
async def read_chat(
    chat_id: ChatIdPath,
    party: PartyDep,
    deps: DepsDep,
    after: Annotated[int, Query(ge=0, le=MAX_SEQ, description="The last place that is known already.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Transcript:
    """For those who hold no socket: ask again with the last `seq`."""
    return await usecases.read_chat(chat_id, after, limit, party, deps)


@router.post(
    "/v1/chats/{chat_id}/end",
    status_code=204,
    summary="End a chat",
    responses=responses(BadChatToken, Forbidden, NoSuchChat, NotYourChat),
)
async def end_chat(chat_id: ChatIdPath, party: PartyDep, deps: DepsDep) -> Response:
    """By its visitor, the agent in charge, or a lead. The complaint goes on. A second time changes nothing."""
    await usecases.end_chat(chat_id, party, deps)
    return Response(status_code=204)


@router.get("/v1/chats", summary="Chats, the longest waiting first")
async def list_chats(
    request: Request,
    principal: Annotated[Principal, Depends(READ)],
    paging: PagingDep,
    deps: DepsDep,
    state: ChatState = ChatState.WAITING,
    queue: Annotated[TeamId | None, Query(description="Only this queue's.")] = None,
) -> Page[ChatView]:
    position = paging.after(datetime, UUID)
    rows = await usecases.list_chats(state, queue, position, paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda chat: (chat.since, chat.chat_id))


@router.get("/v1/chats/{chat_id}", summary="A chat, and who is there", responses=responses(NoSuchChat))
async def show_chat(chat_id: ChatIdPath, principal: Annotated[Principal, Depends(READ)], deps: DepsDep) -> PresentChat:
    """`present` are those who hold a socket."""
    return await usecases.show_chat(chat_id, deps)


@router.post(
    "/v1/chats/{chat_id}/join",
    summary="Take charge of a chat",
    responses=responses(NoSuchChat, NothingSaidYet, ChatTaken, ChatEnded),
)
async def join_chat(chat_id: ChatIdPath, principal: Annotated[Principal, Depends(WRITE)], deps: DepsDep) -> ChatView:
    """Of two at once one gets it. A second time changes nothing."""
    return await usecases.join_chat(chat_id, principal, deps)


@router.post(
    "/v1/chats/{chat_id}/hand-over",
    summary="Hand a chat over to an agent or a queue",
    responses=responses(NoSuchChat, NothingSaidYet, NotYourChat, ChatEnded),
)
async def hand_over(
    chat_id: ChatIdPath,
    principal: Annotated[Principal, Depends(WRITE)],
    body: Annotated[HandOver, Depends(JsonBody(HandOver))],
    deps: DepsDep,
) -> ChatView:
    """It waits until somebody joins; the transcript tells of it. By the agent in charge, or by a lead."""
    return await usecases.hand_over(chat_id, body, principal, deps)
