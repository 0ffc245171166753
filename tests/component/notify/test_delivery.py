"""A4, C5, C6, D1, F10: what happened becomes messages, once each, and they go out."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from notify_service import usecases
from notify_service.carriers import Later, Letter, Refused, Tell
from notify_service.domain import Status
from shared.contracts.notify import MessageDeliveredV1, MessageFailedV1
from shared.contracts.vocabulary import Channel, Language, Means, Priority, Purpose, Urgency
from shared.db import Database
from tests.component.notify import happenings as told
from tests.component.notify.kit import Notify, contacts, eventually, running_worker
from tests.support.builders import RECEIVED, facts, received, resolved

Schemas = Callable[[str], Awaitable[Database]]


@pytest.fixture
async def notify(schema_of: Schemas) -> Notify:
    return Notify(await schema_of("notify"))


class Stubborn:
    """A provider that answers as it is told to, and counts."""

    def __init__(self, *answers: Later | Refused | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def send(self, letters: Any, tell: Tell) -> None:
        for letter in letters:
            self.asked += 1
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            tell(letter.message_id, answer)


def with_carrier(notify: Notify, means: Means, carrier: Any) -> None:
    notify.deps.carriers[means] = carrier  # type: ignore[index]


async def test_an_urgent_complaint_is_acknowledged_by_text_message_and_the_receipt_is_told(notify: Notify) -> None:
    of = facts()
    await notify.hear(contacts(of), received(of, priority=Priority.URGENT))
    assert await notify.deliver() == 1
    (letter,) = notify.sms.letters
    assert letter.address == "+8613812341234"
    assert letter.text == (
        "【客户服务中心】您好,您反映的问题已受理,编号 C-20240510-000001。专人将在 15 分钟内与您联系,请保持电话畅通。"
        "给您带来不便,敬请谅解。"
    )
    (event,) = await notify.published()
    assert isinstance(event, MessageDeliveredV1)
    assert (event.purpose, event.audience, event.means) == (Purpose.ACKNOWLEDGEMENT, "complainant", Means.SMS)
    assert (event.recipient, event.occurred_at, event.text) == ("138****1234", RECEIVED, letter.text)
    assert event.facts == of
    message = await notify.message()
    assert (message.status, message.attempts, message.recipient) == (Status.DELIVERED, 1, "138****1234")


@pytest.mark.parametrize(
    ("priority", "means"),
    [(Priority.URGENT, Means.SMS), (Priority.IMPORTANT, Means.EMAIL), (Priority.GENERAL, Means.IN_SYSTEM)],
)
async def test_the_acknowledgement_goes_by_the_means_that_fits_the_first_priority(
    notify: Notify, priority: Priority, means: Means
) -> None:
    of = facts(urgency=Urgency.HIGH, urgency_revision=3)
    await notify.hear(contacts(of), received(of, priority=priority))
    await notify.deliver()
    assert (await notify.message()).means is means


async def test_the_customers_language_and_preferred_channel_win(notify: Notify) -> None:
    of = facts(language=Language.ZH, preferred_channel=Channel.HOTLINE)
    await notify.hear(contacts(of, preferred_channel=Channel.EMAIL, language=Language.EN), received(of))
    await notify.deliver()
    (letter,) = notify.email.letters  # type: ignore[union-attr]
    assert letter.subject == "We have received your complaint C-20240510-000001"


async def test_every_happening_reaches_whom_it_concerns(notify: Notify) -> None:
    of = facts(preferred_channel=Channel.SMS)
    await notify.hear(contacts(of), told.team("rd"))
    await notify.hear(
        received(of),
        told.progress(of),
        resolved(of),
        told.survey(of),
        told.reply(of, "请您再试一次。"),
        told.transfer(of),
        told.transfer(of, contact=None),
        told.assignment(of),
        told.warning(of),
        told.warning(of, recipient=None),
        told.escalation(of),
        told.escalation(of, recipient=None, role="manager"),
        told.follow_up(of),
        told.action(),
    )
    await notify.deliver()
    said = {(message.purpose, message.audience, message.recipient) for message in await notify.messages()}
    assert said == {
        (Purpose.ACKNOWLEDGEMENT, "complainant", "138****1234"),
        (Purpose.PROGRESS, "complainant", "138****1234"),
        (Purpose.RESULT, "complainant", "138****1234"),
        (Purpose.SURVEY, "complainant", "138****1234"),
        (Purpose.REPLY, "complainant", "138****1234"),
        (Purpose.TRANSFER_REQUEST, "staff", "研发联系人 r***@shop.example"),
        (Purpose.ASSIGNMENT, "staff", "李工 l***@example.com"),
        (Purpose.CLOCK_WARNING, "staff", "李工 l***@example.com"),
        (Purpose.CLOCK_WARNING, "staff", "研发联系人 r***@shop.example"),
        (Purpose.ESCALATION, "staff", "主管 z***@shop.example"),
        (Purpose.ESCALATION, "staff", "研发经理 m***@shop.example"),
        (Purpose.FOLLOW_UP_TASK, "staff", "李工 l***@example.com"),
        (Purpose.ACTION_TASK, "staff", "李工 l***@example.com"),
    }
    assert {message.status for message in await notify.messages()} == {Status.DELIVERED}
    assert len(await notify.messages()) == 14


async def test_an_inbound_message_and_an_assignment_to_nobody_are_told_to_nobody(notify: Notify) -> None:
    of = facts()
    await notify.hear(told.reply(of, "还没好吗?", inbound=True), told.assignment(of, agent=None))
    assert await notify.messages() == []


async def test_the_same_event_heard_again_makes_no_second_message(notify: Notify) -> None:
    of = facts()
    acknowledged, progressed = received(of), told.progress(of)
    await notify.hear(contacts(of), acknowledged, progressed)
    await notify.deliver()
    await notify.hear(acknowledged, progressed, contacts(of))
    assert await notify.deliver() == 0
    assert len(await notify.messages()) == 2
    assert len(await notify.published()) == 2


async def test_two_workers_racing_send_every_message_once(notify: Notify) -> None:
    people = [facts() for _ in range(60)]
    for of in people:
        await notify.hear(contacts(of, phones=(f"+861380000{len(notify.sms.letters):04d}",)), received(of))
    counts = await asyncio.gather(*(notify.deliver() for _ in range(6)))
    assert sum(counts) == 60
    sent = [letter.message_id for letter in notify.email.letters]  # type: ignore[union-attr]
    assert len(sent) == len(set(sent)) == 60
    assert len(await notify.published()) == 60


async def test_what_a_dead_worker_held_is_sent_by_another_when_its_lease_is_over(notify: Notify) -> None:
    of = facts()
    await notify.hear(contacts(of), received(of))
    (abandoned,) = await usecases.claim(notify.deps)
    assert await notify.deliver() == 0
    await notify.expire_leases()
    assert await notify.deliver() == 1
    await usecases.ship(abandoned, notify.deps)
    assert [letter.message_id for letter in notify.email.letters] == [(await notify.message()).message_id] * 2  # type: ignore[union-attr]
    assert len(await notify.published()) == 1, "the one that lost its lease records nothing"


async def test_a_failure_that_may_pass_is_tried_again_later_and_later_and_then_given_up(schema_of: Schemas) -> None:
    notify = Notify(await schema_of("notify"), attempts=3, retry_first_seconds=10, retry_most_seconds=15)
    provider = Stubborn(Later("busy"), Later("busy"), Later("still busy"))
    with_carrier(notify, Means.EMAIL, provider)
    of = facts()
    await notify.hear(contacts(of), received(of))
    await notify.deliver()
    message = await notify.message()
    assert (message.status, message.reason, message.due_at) == (
        Status.QUEUED, "busy", RECEIVED + timedelta(seconds=10),
    )  # fmt: skip
    assert await notify.deliver() == 0
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=10))
    await notify.deliver()
    assert (await notify.message()).due_at == RECEIVED + timedelta(seconds=25)
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=25))
    await notify.deliver()
    assert (await notify.message()).status is Status.FAILED
    (event,) = await notify.published()
    assert isinstance(event, MessageFailedV1)
    assert (event.attempts, event.reason, event.recipient) == (3, "still busy", "w***@shop.example")


async def test_a_refusal_for_good_is_not_tried_again_until_a_person_says_so(notify: Notify) -> None:
    provider = Stubborn(Refused("550 no such user"), Refused("550 no such user"))
    with_carrier(notify, Means.EMAIL, provider)
    of = facts()
    await notify.hear(contacts(of), received(of))
    await notify.deliver()
    await notify.clock.advance_to(RECEIVED + timedelta(days=1))
    assert await notify.deliver() == 0
    async with notify.database.session() as tx:
        await usecases.try_again((await notify.message()).message_id, tx, notify.deps)
    await notify.deliver()
    first, second = await notify.published()
    assert isinstance(first, MessageFailedV1)
    assert isinstance(second, MessageFailedV1)
    assert first.event_id != second.event_id
    with_carrier(notify, Means.EMAIL, notify.wecom)
    async with notify.database.session() as tx:
        again = await usecases.try_again((await notify.message()).message_id, tx, notify.deps)
    assert (again.status, again.attempts, again.round) == (Status.QUEUED, 0, 3)
    await notify.deliver()
    assert (await notify.message()).status is Status.DELIVERED
    with pytest.raises(usecases.errors.MessageNotFailed):
        async with notify.database.session() as tx:
            await usecases.try_again((await notify.message()).message_id, tx, notify.deps)


async def test_a_carrier_that_breaks_or_hangs_costs_an_attempt_and_no_message(schema_of: Schemas) -> None:
    notify = Notify(await schema_of("notify"), lease_seconds=2)

    class Hanging:
        async def send(self, letters: Any, tell: Tell) -> None:
            tell(letters[0].message_id, Later("first"))
            await asyncio.sleep(60)

    of = facts()
    await notify.hear(contacts(of), received(of), told.progress(of))
    with_carrier(notify, Means.EMAIL, Hanging())
    await notify.deliver()
    assert {message.reason for message in await notify.messages()} == {"first", "the carrier took too long"}
    with_carrier(notify, Means.EMAIL, Stubborn(RuntimeError("boom")))
    await notify.clock.advance_to(RECEIVED + timedelta(minutes=1))
    await notify.deliver()
    assert {message.reason for message in await notify.messages()} == {"the carrier failed: RuntimeError"}
    with_carrier(notify, Means.EMAIL, notify.wecom)
    await notify.clock.advance_to(RECEIVED + timedelta(minutes=2))
    assert await notify.deliver() == 2
    assert {message.status for message in await notify.messages()} == {Status.DELIVERED}


async def test_a_message_that_kills_every_worker_is_given_up(schema_of: Schemas) -> None:
    notify = Notify(await schema_of("notify"), attempts=2)
    of = facts()
    await notify.hear(contacts(of), received(of))
    for _ in range(2):
        await usecases.claim(notify.deps)
        await notify.expire_leases()
    await notify.deliver()
    assert (await notify.message()).status is Status.FAILED
    assert (await notify.message()).reason == "its attempts never came to an end"
    assert not notify.email.letters  # type: ignore[union-attr]


async def test_the_worker_wakes_for_new_messages_and_for_those_whose_time_has_come(schema_of: Schemas) -> None:
    notify = Notify(await schema_of("notify"), delivery_poll_seconds=0.5, retry_first_seconds=30)
    with_carrier(notify, Means.EMAIL, Stubborn(Later("busy")))
    of = facts()

    async def queued_again() -> Any:
        messages = await notify.messages()
        return messages and messages[0].reason == "busy"

    async def delivered() -> Any:
        return (await notify.message()).status is Status.DELIVERED

    async with running_worker(notify):
        await notify.hear(contacts(of), received(of))
        await eventually(queued_again)
        with_carrier(notify, Means.EMAIL, notify.wecom)
        await asyncio.sleep(0.1)
        await notify.clock.advance_to(RECEIVED + timedelta(seconds=30))
        await eventually(delivered)


async def test_a_worker_that_is_stopped_records_what_it_has_under_way(schema_of: Schemas) -> None:
    notify = Notify(await schema_of("notify"))
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def send(self, letters: list[Letter], tell: Tell) -> None:
            entered.set()
            await go_on.wait()
            await notify.wecom.send(letters, tell)

    with_carrier(notify, Means.EMAIL, Slow())
    of = facts()
    await notify.hear(contacts(of), received(of))
    async with running_worker(notify):
        await entered.wait()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
    assert (await notify.message()).status is Status.DELIVERED


async def test_free_text_with_a_nul_is_kept_without_it(notify: Notify) -> None:
    of = facts()
    await notify.hear(contacts(of), told.progress(of, text="a\x00b \\u0000"))
    await notify.deliver()
    assert "ab \\u0000" in (await notify.message()).text
