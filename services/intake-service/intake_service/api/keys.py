"""Keys of channel adapters (G3)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from intake_service import usecases
from intake_service.api.common import ADMIN, DepsDep
from intake_service.domain.record import NewKey
from intake_service.domain.views import AdapterKeyView, NewAdapterKey
from intake_service.usecases.errors import NoSuchKey
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.errors import responses
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["adapter keys"])


@router.post("/v1/adapter-keys", status_code=201, summary="Issue a key; it is shown this once")
async def issue_key(
    principal: Annotated[Principal, Depends(ADMIN)],
    body: Annotated[NewKey, Depends(JsonBody(NewKey))],
    deps: DepsDep,
) -> NewAdapterKey:
    """The adapter sends it as `X-API-Key`. With `channel` (and `account`) it may post only what came by these."""
    return await usecases.issue_key(body.name, body.channel, body.account, principal, deps)


@router.get("/v1/adapter-keys", summary="All keys, without the keys themselves")
async def list_keys(
    request: Request, principal: Annotated[Principal, Depends(ADMIN)], paging: PagingDep, deps: DepsDep
) -> Page[AdapterKeyView]:
    rows = await usecases.list_keys(paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.created_at, item.id))


@router.delete("/v1/adapter-keys/{key_id}", summary="Revoke a key", responses=responses(NoSuchKey))
async def revoke_key(key_id: UUID, principal: Annotated[Principal, Depends(ADMIN)], deps: DepsDep) -> AdapterKeyView:
    return await usecases.revoke_key(key_id, principal, deps)
