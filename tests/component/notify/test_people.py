"""A6: contacts are kept here alone, come in any order, and go for good."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from notify_service import usecases
from notify_service.domain import Preference, Status
from shared.contracts.envelope import Event
from shared.contracts.intake import ReplySession
from shared.contracts.vocabulary import Channel, Language, Means, Priority
from shared.db import Database
from shared.web.errors import PreconditionFailed
from tests.component.notify import happenings as told
from tests.component.notify.kit import Notify, contacts, contacts_erased, plain
from tests.support.builders import AGENT, RECEIVED, erased, facts, received, resolved

Schemas = Callable[[str], Awaitable[Database]]


@pytest.fixture
async def notify(schema_of: Schemas) -> Notify:
    return Notify(await schema_of("notify"))


async def test_a_message_waits_for_contacts_that_come_late(notify: Notify) -> None:
    of = facts()
    await notify.hear(received(of))
    await notify.deliver()
    assert (await notify.message()).status is Status.WAITING
    await notify.hear(contacts(of))
    await notify.deliver()
    message = await notify.message()
    assert (message.status, message.means, message.attempts) == (Status.DELIVERED, Means.EMAIL, 1)


async def test_without_contacts_it_becomes_a_notice_when_the_grace_time_is_over(notify: Notify) -> None:
    of = facts()
    await notify.hear(received(of, priority=Priority.URGENT))
    await notify.deliver()
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=59))
    assert await notify.deliver() == 0
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=60))
    assert await notify.deliver() == 1
    (notice,) = await usecases.list_notices(str(of.customer.person_id), None, 10, notify.deps)
    assert notice.means is Means.IN_SYSTEM
    assert "C-20240510-000001" in notice.text


async def test_an_answer_in_an_open_conversation_waits_for_no_contacts(notify: Notify) -> None:
    """Who is known by an id of the channel alone has no contacts that could come."""
    of = facts(channel=Channel.DINGTALK)
    session = ReplySession(
        account="robot", address="u", webhook="https://oapi/s", expires_at=RECEIVED + timedelta(hours=1)
    )
    await notify.hear(received(of).model_copy(update={"reply": session}))
    await notify.deliver()
    message = await notify.message()
    assert (message.status, message.means) == (Status.DELIVERED, Means.DINGTALK)


async def test_what_is_a_notice_whatever_the_contacts_are_waits_for_none(notify: Notify) -> None:
    await notify.hear(received(facts(), priority=Priority.GENERAL))
    await notify.deliver()
    message = await notify.message()
    assert (message.status, message.means) == (Status.DELIVERED, Means.IN_SYSTEM)


async def test_a_team_that_is_not_heard_yet_is_waited_for_and_then_gets_a_notice(notify: Notify) -> None:
    of = facts()
    await notify.hear(told.transfer(of, contact=None))
    await notify.deliver()
    assert (await notify.message()).status is Status.WAITING
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=60))
    await notify.deliver()
    assert len(await usecases.list_notices("team:rd", None, 10, notify.deps)) == 1


async def test_the_highest_revision_of_contacts_and_teams_wins_whichever_comes_first(notify: Notify) -> None:
    of = facts(preferred_channel=Channel.SMS)
    await notify.hear(contacts(of, 2, phones=("+8613900000002",)), contacts(of, 1, phones=("+8613900000001",)))
    await notify.hear(told.team("rd", 2, contact=told.SUPERVISOR), told.team("rd", 1))
    await notify.hear(received(of), told.transfer(of, contact=None))
    await notify.deliver()
    assert [letter.address for letter in notify.sms.letters] == ["+8613900000002"]
    assert [letter.address for letter in notify.email.letters] == ["zhang@shop.example"]  # type: ignore[union-attr]


@pytest.mark.parametrize("how", [contacts_erased, erased])
async def test_an_erased_person_is_forgotten_and_told_nothing_more(notify: Notify, how: Callable[..., Event]) -> None:
    of = facts(preferred_channel=Channel.SMS)
    await notify.hear(contacts(of), received(of))
    await notify.deliver()
    await usecases.put_preference(of.customer.person_id, Preference(Channel.WECOM), None, AGENT, notify.deps)
    await notify.hear(told.progress(of, text="秘密"), told.transfer(of))
    await notify.hear(how(of))
    assert await notify.rows("select * from recipients") == []
    assert await notify.rows("select * from preferences") == []
    await notify.deliver()
    left = str(plain(await notify.rows("select * from messages")))
    for personal in ("138****1234", "秘密", "加载失败", "13812341234", "王女士"):
        assert personal not in left
    states = {message.purpose.value: message.status.value for message in await notify.messages()}
    assert states == {"acknowledgement": "delivered", "progress": "withdrawn", "transfer_request": "delivered"}
    with pytest.raises(usecases.errors.PersonErased):
        await usecases.put_preference(of.customer.person_id, Preference(Channel.SMS), None, AGENT, notify.deps)


async def test_contacts_and_complaints_that_come_after_the_tombstone_bring_nobody_back(notify: Notify) -> None:
    of = facts(preferred_channel=Channel.SMS)
    await notify.hear(contacts_erased(of), contacts(of, 9), received(of))
    assert await notify.rows("select * from recipients") == []
    assert await notify.deliver() == 0
    message = await notify.message()
    assert (message.status, message.params) == (Status.WITHDRAWN, {})
    assert "138****1234" not in str(plain(await notify.rows("select * from messages")))


async def test_who_is_erased_while_the_message_is_on_its_way_leaves_no_text_behind(notify: Notify) -> None:
    of = facts(preferred_channel=Channel.SMS)
    await notify.hear(contacts(of), received(of), told.transfer(of))
    shipments = await usecases.claim(notify.deps)
    await notify.hear(contacts_erased(of))
    for shipment in shipments:
        await usecases.ship(shipment, notify.deps)
    assert {message.status for message in await notify.messages()} == {Status.DELIVERED}
    left = str(plain(await notify.rows("select * from messages"))) + str(await notify.published())
    assert "138****1234" not in left
    assert "加载失败" not in left


async def test_all_events_in_any_order_with_doubles_leave_the_same_rows(notify: Notify) -> None:
    of, other = facts(preferred_channel=Channel.SMS), facts()
    events: list[Event] = [
        contacts(of, 1),
        contacts(of, 2, phones=("+8613900000002",)),
        contacts(other, 1),
        contacts_erased(other),
        erased(other),
        received(of),
        received(other),
        told.team("rd", 1),
        told.team("rd", 2, contact=told.SUPERVISOR),
        told.assignment(of, revision=1),
        told.assignment(of, revision=2),
        told.transfer(of, contact=None),
        told.transfer(other),
        told.progress(of),
        told.warning(of),
        told.escalation(None),
        resolved(of),
        told.survey(other),
        told.action(),
    ]
    tables = {
        "messages": "message_id",
        "recipients": "person_id",
        "erasures": "person_id",
        "teams": "team_id",
        "preferences": "person_id",
    }

    async def state() -> dict[str, Any]:
        return {name: plain(await notify.rows(f"select * from {name} order by {key}")) for name, key in tables.items()}  # noqa: S608

    first: dict[str, Any] | None = None
    for seed in range(25):
        shuffled = events + random.Random(seed).sample(events, 6)
        random.Random(seed).shuffle(shuffled)
        await notify.forget_everything()
        await notify.hear(*shuffled)
        first = first or await state()
        assert await state() == first, f"seed {seed}"


async def test_a_preference_goes_before_everything_else_for_what_has_not_been_sent(notify: Notify) -> None:
    of = facts(preferred_channel=Channel.SMS)
    await notify.hear(contacts(of, wecom_id="wangxx"), received(of))
    wished = Preference(Channel.WECOM, Language.EN)
    assert await usecases.put_preference(of.customer.person_id, wished, None, AGENT, notify.deps) == 1
    await notify.deliver()
    (letter,) = notify.wecom.letters
    assert letter.text.startswith("Customer Care: we have received your complaint")
    assert await usecases.get_preference(of.customer.person_id, notify.deps) == (wished, 1)
    with pytest.raises(PreconditionFailed):
        await usecases.put_preference(of.customer.person_id, wished, '"0"', AGENT, notify.deps)
    assert await usecases.put_preference(of.customer.person_id, Preference(), '"1"', AGENT, notify.deps) == 2
