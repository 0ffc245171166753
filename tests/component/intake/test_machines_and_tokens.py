"""Messages of machines, and messages that come by tokens of ours (A8)."""

from typing import Any
from uuid import UUID

from shared.replies import Replies, Use, token_of_address
from shared.web.auth import Role
from tests.component.intake.conftest import REPLY_SECRET
from tests.component.intake.test_messages import send
from tests.component.intake.test_threading import STRANGER, first

OURS = Replies(REPLY_SECRET.encode())
LETTER = UUID("0190d0a4-7c1c-7000-8000-000000000002")


def token(use: Use, complaint: dict) -> str:
    found = token_of_address(OURS.address(use, "help@shop.example", UUID(complaint["id"])))
    assert found is not None
    return found


def letter(complaint: dict) -> str:
    return OURS.message_id(LETTER, UUID(complaint["id"]), "shop.example")


NO_THREAD = {"source__thread_id": None}


async def test_whoever_writes_to_the_reply_address_joins_from_any_address_of_theirs(intake):
    complaint = await first(intake)
    told = (
        await send(
            intake,
            source__message_id="m-2",
            source__reply_token=token(Use.REPLY, complaint),
            sender__identities=STRANGER,
            **NO_THREAD,
        )
    ).json()
    assert (told["status"], told["complaint"]) == ("appended", complaint)


async def test_a_token_that_we_did_not_sign_joins_nothing(intake):
    complaint = await first(intake)
    forged = token_of_address(
        Replies(b"another secret of tests").address(Use.REPLY, "help@shop.example", UUID(complaint["id"]))
    )
    told = (
        await send(
            intake, source__message_id="m-2", source__reply_token=forged, sender__identities=STRANGER, **NO_THREAD
        )
    ).json()
    assert (told["status"], told["suggested"]) == ("created", None)


async def test_an_answer_to_a_mail_of_ours_joins_only_from_a_sender_who_takes_part(intake):
    complaint = await first(intake)
    answer = {"source__reply_to": letter(complaint), **NO_THREAD}
    joined = (await send(intake, source__message_id="m-2", **answer)).json()
    stranger = (await send(intake, source__message_id="m-3", sender__identities=STRANGER, **answer)).json()
    assert (joined["status"], joined["complaint"]) == ("appended", complaint)
    assert (stranger["status"], stranger["suggested"]) == ("suggestion", complaint)


async def test_a_machines_message_is_kept_on_its_case_and_told_to_nobody(intake):
    complaint = await first(intake)
    before = await intake.outbox()
    bounce: dict[str, Any] = {"automatic": "bounce", "sender__identities": [], **NO_THREAD}
    bounce["source__reply_to"] = letter(complaint)
    told = (await send(intake, source__message_id="bounce-1", content__text="No such user", **bounce)).json()
    assert (told["status"], told["complaint"], told["doubts"]) == ("noted", complaint, [])
    (shown,) = (await intake.get(f"/v1/complaints/{complaint['id']}/messages")).json()["data"]
    assert (shown["direction"], shown["text"]) == ("automatic", "订单无法查询\n\nNo such user")
    assert await intake.outbox() == before
    again = await send(intake, source__message_id="bounce-1", content__text="No such user", **bounce)
    assert (again.status_code, again.json()) == (200, told)


async def test_whatever_comes_to_a_bounce_address_is_a_machines(intake):
    complaint = await first(intake)
    told = (
        await send(
            intake, source__message_id="b-1", source__reply_token=token(Use.BOUNCE, complaint), sender__identities=[]
        )
    ).json()
    assert (told["status"], told["complaint"]) == ("noted", complaint)


async def test_a_mail_of_ours_that_comes_back_makes_no_complaint(intake):
    complaint = await first(intake)
    told = (await send(intake, source__message_id=letter(complaint), sender__identities=STRANGER, **NO_THREAD)).json()
    assert (told["status"], told["complaint"]) == ("noted", None)


async def test_an_answering_machine_joins_its_case_only_by_a_sender_who_takes_part(intake):
    complaint = await first(intake)
    theirs = (await send(intake, source__message_id="a-1", automatic="auto_reply")).json()
    strangers = (
        await send(intake, source__message_id="a-2", automatic="auto_reply", sender__identities=STRANGER)
    ).json()
    assert (theirs["status"], theirs["complaint"]) == ("noted", complaint)
    assert (strangers["status"], strangers["complaint"], strangers["suggested"]) == ("noted", None, complaint)


async def test_a_machines_message_of_no_known_case_is_noted_and_makes_none(intake):
    told = (await send(intake, automatic="auto_reply")).json()
    assert (told["status"], told["complaint"]) == ("noted", None)
    assert await intake.one("select count(*) from complaints") == 0


async def test_a_token_does_not_join_the_complaint_of_whoever_was_erased(intake):
    complaint = await first(intake)
    person = await intake.one("select person_id from complaints")
    await intake.post(f"/v1/complainants/{person}/erasure", None, Role.ADMIN)
    reply = {"source__reply_token": token(Use.REPLY, complaint), **NO_THREAD}
    told = (await send(intake, source__message_id="m-2", **reply)).json()
    assert told["status"] == "created"
