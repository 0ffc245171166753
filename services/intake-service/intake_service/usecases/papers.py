"""Complaints on paper that a service point took (A1, A8)."""

from uuid import UUID

from fastapi import Response

from intake_service.channels import ChannelFault, service_point
from intake_service.channels.service_point import MIB, Paper
from intake_service.domain.receipt import Receipt
from intake_service.store import attachments
from intake_service.store import complaints as store
from intake_service.usecases.channels import serving
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import BadPage, ChannelAway, FormNumberTaken, UnknownAttachment
from intake_service.usecases.receive import receive_complaint
from shared.web.auth import Principal
from shared.web.idempotency import Once


async def receive_paper(channel_id: str, paper: Paper, principal: Principal, once: Once, deps: Deps) -> Response:
    """The receipt of the complaint: 201, or 200 with the first one where this paper was typed before.

    Raises `NoSuchChannel`, `ChannelAway`, `BadPage`, `UnknownAttachment`, `FormNumberTaken`, and what
    `receive_complaint` raises.
    """
    try:
        channel = await serving("service_point", channel_id, deps)
    except ChannelFault as error:
        raise ChannelAway(str(error), retry_after=60) from None
    await _check_pages(paper.pages, channel.settings.max_page_mib, deps)
    answer = await receive_complaint(paper.record(channel.spec.account), principal, once, deps)
    if answer.status_code == 200:
        await _check_same(Receipt.model_validate_json(bytes(answer.body)), paper, deps)
    return answer


async def _check_pages(pages: tuple[UUID, ...], most_mib: int, deps: Deps) -> None:
    async with deps.reading() as tx:
        known = await attachments.find_many(tx, pages)
    for place, page in enumerate(pages):
        row = known.get(page)
        if row is None:
            raise UnknownAttachment("Upload the page first: POST /v1/attachments.", pointer=f"/pages/{place}")
        if not service_point.is_page(row["media_type"]):
            raise BadPage(f"It is {row['media_type']}; scan it as a picture or a PDF.", pointer=f"/pages/{place}")
        if row["size_bytes"] > most_mib * MIB:
            raise BadPage(f"It has more than {most_mib} MiB; scan it coarser.", pointer=f"/pages/{place}")


async def _check_same(first: Receipt, paper: Paper, deps: Deps) -> None:
    """A form number that was mistyped must not swallow a second complaint."""
    async with deps.reading() as tx:
        row = await store.find(tx, first.id)
    if row is not None and row["erased_at"] is None and row["record"]["symptom"] != paper.symptom:
        raise FormNumberTaken(
            f"Complaint {first.number} was recorded of this form and says something else. Check the number.",
            pointer="/form_number",
        )
