"""Complaints and what is said about them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from intake_service import usecases
from intake_service.api.common import LEAD, READ, RECEIVE, WRITE, ComplaintKeyDep, DepsDep
from intake_service.domain.channels import TeamId
from intake_service.domain.receipt import Receipt
from intake_service.domain.record import NewComplaint, NewLink, NewMessage, NewNote
from intake_service.domain.spam import Spam
from intake_service.domain.views import (
    ComplaintItem,
    ComplaintView,
    LinkView,
    MessageReceipt,
    MessageView,
    NoteReceipt,
    NoteView,
)
from intake_service.usecases.errors import (
    RECEIVING,
    BadLink,
    DeliveryElsewhere,
    Erased,
    ImpossibleRecord,
    NoSuchComplaint,
    NotSuspected,
    NotYourChannel,
    UnknownAttachment,
)
from shared.contracts.vocabulary import Channel
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.direct import DirectRoute
from shared.web.errors import Documented, responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["complaints"])
#: The hot door has the short way in.
receiving = APIRouter(tags=["complaints"], route_class=DirectRoute)


def _repeated(model: type) -> Documented:
    return {200: {"model": model, "description": "This was received before: the answer of the first time."}}


@receiving.post(
    "/v1/complaints",
    status_code=201,
    response_model=Receipt,
    summary="Receive a complaint",
    responses={**_repeated(Receipt), **responses(*RECEIVING, *ONCE_PROBLEMS)},
)
async def receive_complaint(
    principal: Annotated[Principal, Depends(RECEIVE)],
    body: Annotated[NewComplaint, Depends(JsonBody(NewComplaint))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    """Kept for good when it is answered. The same channel, account and message id again is answered with the first
    complaint (200). `missing` asks for what the kind's template wants beside what was told (A2)."""
    return await usecases.receive_complaint(body, principal, once, deps)


@router.get("/v1/complaints", summary="List complaints, the latest first")
async def list_complaints(
    request: Request,
    principal: Annotated[Principal, Depends(READ)],
    paging: PagingDep,
    deps: DepsDep,
    complainant: Annotated[UUID | None, Query(description="Only this complainant's (A9).")] = None,
    channel: Annotated[Channel | None, Query(description="Only those that came by this channel.")] = None,
    team: Annotated[TeamId | None, Query(description="Only those by channels that this team owns or shares.")] = None,
    spam: Annotated[bool | None, Query(description="Only those on the list of suspected spam, or only others.")] = None,
) -> Page[ComplaintItem]:
    position = paging.after(datetime, UUID)
    rows = await usecases.list_complaints(complainant, channel, team, spam, position, paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.received_at, item.id))


@router.get("/v1/complaints/{complaint}", summary="One complaint", responses=responses(NoSuchComplaint))
async def show_complaint(
    complaint: ComplaintKeyDep, principal: Annotated[Principal, Depends(READ)], deps: DepsDep
) -> ComplaintView:
    """The whole standard record, contacts masked (A2, A6)."""
    return await usecases.show_complaint(complaint, deps)


@router.post(
    "/v1/complaints/{complaint}/not-spam",
    summary="Take it out of the list of suspected spam",
    responses=responses(NoSuchComplaint, NotSuspected),
)
async def clear_of_spam(
    complaint: ComplaintKeyDep, principal: Annotated[Principal, Depends(LEAD)], deps: DepsDep
) -> Spam:
    """It is acknowledged now. Its score stays as it was given."""
    return await usecases.clear_of_spam(complaint, principal, deps)


@router.post(
    "/v1/complaints/{complaint}/messages",
    status_code=201,
    response_model=MessageReceipt,
    summary="Add a message of the conversation",
    responses={
        **_repeated(MessageReceipt),
        **responses(
            NoSuchComplaint,
            Erased,
            DeliveryElsewhere,
            ImpossibleRecord,
            NotYourChannel,
            UnknownAttachment,
            *ONCE_PROBLEMS,
        ),
    },
)
async def add_message(
    complaint: ComplaintKeyDep,
    principal: Annotated[Principal, Depends(RECEIVE)],
    body: Annotated[NewMessage, Depends(JsonBody(NewMessage))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    return await usecases.add_message(complaint, body, principal, once, deps)


@router.get(
    "/v1/complaints/{complaint}/messages",
    summary="The conversation, oldest first",
    responses=responses(NoSuchComplaint),
)
async def list_messages(
    complaint: ComplaintKeyDep,
    request: Request,
    principal: Annotated[Principal, Depends(READ)],
    paging: PagingDep,
    deps: DepsDep,
) -> Page[MessageView]:
    rows = await usecases.list_messages(complaint, paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.sent_at, item.id))


@router.post(
    "/v1/complaints/{complaint}/notes",
    status_code=201,
    response_model=NoteReceipt,
    summary="Write an internal note",
    responses=responses(NoSuchComplaint, Erased, *ONCE_PROBLEMS),
)
async def add_note(
    complaint: ComplaintKeyDep,
    principal: Annotated[Principal, Depends(WRITE)],
    body: Annotated[NewNote, Depends(JsonBody(NewNote))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    return await usecases.add_note(complaint, body, principal, once, deps)


@router.get(
    "/v1/complaints/{complaint}/notes", summary="The internal notes, oldest first", responses=responses(NoSuchComplaint)
)
async def list_notes(
    complaint: ComplaintKeyDep,
    request: Request,
    principal: Annotated[Principal, Depends(READ)],
    paging: PagingDep,
    deps: DepsDep,
) -> Page[NoteView]:
    rows = await usecases.list_notes(complaint, paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.written_at, item.id))


@router.post(
    "/v1/complaints/{complaint}/links",
    status_code=201,
    response_model=LinkView,
    summary="Link to another complaint",
    responses={**_repeated(LinkView), **responses(NoSuchComplaint, BadLink, *ONCE_PROBLEMS)},
)
async def link_complaints(
    complaint: ComplaintKeyDep,
    principal: Annotated[Principal, Depends(WRITE)],
    body: Annotated[NewLink, Depends(JsonBody(NewLink))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    """`duplicate_of` merges the complaint into the other one; `split_from` and `related_to` let both go on (A8)."""
    return await usecases.link_complaints(complaint, body, principal, once, deps)
