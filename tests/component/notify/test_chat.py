"""Answers by WeCom and DingTalk, against the simulator of both over real sockets."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from notify_service.carriers import Chat, CustomerService, GroupRobot, Recording, SessionWebhook, Way
from notify_service.carriers.chat import MAX_BYTES, parts_of
from notify_service.domain import Status
from shared.contracts.envelope import StaffContact
from shared.contracts.intake import ReplySession
from shared.contracts.vocabulary import Channel, Means, Purpose
from shared.errcode import WeComApi
from tests.component.notify.happenings import assignment, reply
from tests.component.notify.kit import Notify, contacts, contacts_erased
from tests.support.builders import RECEIVED, facts, received
from tests.support.wecom import ACCOUNT, CORP_ID, CORP_SECRET, CUSTOMER, ROBOT_KEY, Platform, customer_says, served

COLLEAGUE = StaffContact(staff_id="li", name="李工", wecom="LiGong")


@pytest.fixture
async def platform() -> AsyncGenerator[Platform]:
    async with served(Platform(RECEIVED.timestamp())) as each:
        yield each


@pytest.fixture
async def notify(schema_of, platform) -> AsyncGenerator[Notify]:
    made = Notify(await schema_of("notify"), contacts_grace_seconds=0)
    async with httpx.AsyncClient(timeout=5) as http:
        ways: dict[str, Way] = {
            "complainant": CustomerService(WeComApi(http, CORP_ID, CORP_SECRET, platform.url), None),
            "staff": GroupRobot(http, platform.url, ROBOT_KEY),
        }
        made.carriers[Means.WECOM] = Chat(ways, Recording())
        made.carriers[Means.DINGTALK] = Chat({"complainant": SessionWebhook(http, platform.url)}, Recording())
        yield made


def wecom(hours: float = 48) -> ReplySession:
    return ReplySession(account=ACCOUNT, address=CUSTOMER, expires_at=RECEIVED + timedelta(hours=hours))


def dingtalk(platform: Platform, session: str = "s-1", hours: float = 1.5) -> ReplySession:
    webhook = f"{platform.url}/robot/sendBySession?session={session}"
    return ReplySession(
        account="robot", address="user123", webhook=webhook, expires_at=RECEIVED + timedelta(hours=hours)
    )


async def told(notify: Notify, session: ReplySession | None, channel: Channel = Channel.WECOM, **known: Any) -> Any:
    """A complaint that came by that conversation, and our answer in it."""
    of = facts(channel=channel)
    await notify.hear(contacts(of, **{"phones": (), "emails": (), **known}))
    await notify.hear(received(of).model_copy(update={"reply": session}), reply(of, "已为您退款。", channel=channel))
    await notify.deliver()
    return next(each for each in await notify.messages() if each.purpose is Purpose.REPLY)


async def test_an_answer_goes_to_the_customer_by_the_account_that_they_wrote_to(notify, platform):
    platform.items = [customer_says("m-1", platform.now)]
    message = await told(notify, wecom())
    assert (message.status, message.means, message.recipient) == (Status.DELIVERED, Means.WECOM, "wm***")
    assert any("已为您退款。" in text for text in platform.sent_to(CUSTOMER))
    sent = platform.calls_of("/cgi-bin/kf/send_msg")
    assert {each["open_kfid"] for each in sent} == {ACCOUNT}
    assert message.message_id.hex in {each["msgid"] for each in sent}


async def test_after_48_hours_of_silence_an_answer_goes_by_mail(notify, platform):
    await notify.clock.advance_to(RECEIVED + timedelta(hours=49))
    message = await told(notify, wecom(), emails=("wang@shop.example",), wecom_id=CUSTOMER)
    assert (message.status, message.means) == (Status.DELIVERED, Means.EMAIL)
    assert platform.calls_of("/cgi-bin/kf/send_msg") == []


async def test_five_messages_without_a_word_of_the_customer_wait_for_one(notify, platform):
    platform.items = [customer_says("m-1", platform.now)]
    platform.refusals["/cgi-bin/kf/send_msg"] = [95001] * 2
    message = await told(notify, wecom())
    assert (message.status, "95001" in message.reason) == (Status.QUEUED, True)


async def test_a_refusal_for_good_is_told(notify, platform):
    platform.refusals["/cgi-bin/kf/send_msg"] = [40058] * 2
    message = await told(notify, wecom())
    assert (message.status, message.reason) == (Status.FAILED, "errcode 40058: as the test wants it")


async def latest_reply(notify: Notify) -> Any:
    await notify.deliver()
    return [each for each in await notify.messages() if each.purpose is Purpose.REPLY][-1]


@pytest.mark.parametrize("code", [95002, 95013, 40096])
async def test_a_conversation_that_wecom_calls_over_is_followed_by_the_next_means(notify, platform, code):
    platform.refusals["/cgi-bin/kf/send_msg"] = [code] * 2
    first = await told(notify, wecom(), emails=("wang@shop.example",), wecom_id=CUSTOMER)
    assert (first.status, first.means, str(code) in first.reason) == (Status.QUEUED, Means.WECOM, True)
    again = await latest_reply(notify)
    assert (again.message_id, again.status, again.means) == (first.message_id, Status.DELIVERED, Means.EMAIL)
    assert platform.sent_to(CUSTOMER) == []


async def test_who_is_gone_and_never_wrote_here_is_written_to_by_another_means(notify, platform):
    """Known by WeCom from another complaint; `NOTIFY_WECOM_OPEN_KFID` is the account."""
    platform.refusals["/cgi-bin/kf/send_msg"] = [40096] * 2
    async with httpx.AsyncClient() as http:
        way = CustomerService(WeComApi(http, CORP_ID, CORP_SECRET, platform.url), ACCOUNT)
        notify.carriers[Means.WECOM] = Chat({"complainant": way}, Recording())
        first = await told(notify, None, wecom_id=CUSTOMER, emails=("wang@shop.example",))
        assert (first.status, first.means) == (Status.QUEUED, Means.WECOM)
        assert (await latest_reply(notify)).means is Means.EMAIL


async def test_the_customers_next_word_opens_the_conversation_again(notify, platform):
    platform.items = [customer_says("m-1", platform.now)]
    platform.refusals["/cgi-bin/kf/send_msg"] = [95013] * 2
    closed = await told(notify, wecom())
    of = closed.facts
    said = reply(of, "还在吗", inbound=True, channel=Channel.WECOM)
    await notify.hear(said.model_copy(update={"reply": wecom(49)}))
    again = await latest_reply(notify)
    assert (again.status, again.means) == (Status.DELIVERED, Means.WECOM)


async def test_a_session_of_dingtalk_that_ended_early_is_followed_by_the_next_means(notify, platform):
    message = await told(notify, dingtalk(platform), Channel.DINGTALK, emails=("wang@shop.example",))
    assert (message.status, "300005" in message.reason) == (Status.QUEUED, True)
    assert (await latest_reply(notify)).means is Means.EMAIL


async def test_a_colleague_is_named_in_the_group_and_the_limit_is_waited_for(notify, platform):
    of = facts()
    await notify.hear(assignment(of, COLLEAGUE))
    await notify.deliver()
    (call,) = platform.calls_of("/cgi-bin/webhook/send")
    assert call["text"]["mentioned_list"] == ["LiGong"]
    for revision in range(2, 23):
        await notify.hear(assignment(of, COLLEAGUE, revision))
    await notify.deliver()
    states = [each.status for each in await notify.messages()]
    assert (states.count(Status.DELIVERED), states.count(Status.QUEUED)) == (20, 2)


async def test_an_answer_goes_to_dingtalk_while_its_session_lasts(notify, platform):
    platform.sessions["s-1"] = platform.now + 5400
    message = await told(notify, dingtalk(platform), Channel.DINGTALK)
    assert (message.status, message.means, message.recipient) == (Status.DELIVERED, Means.DINGTALK, "***")
    answers = platform.calls_of("/robot/sendBySession")
    assert any("已为您退款。" in each["text"]["content"] for each in answers)


async def test_when_the_session_is_over_an_answer_goes_by_mail(notify, platform):
    await notify.clock.advance_to(RECEIVED + timedelta(hours=2))
    message = await told(notify, dingtalk(platform), Channel.DINGTALK, emails=("wang@shop.example",))
    assert message.means is Means.EMAIL
    assert platform.calls_of("/robot/sendBySession") == []


async def test_a_webhook_that_leads_elsewhere_is_not_called(notify, platform):
    strange = dingtalk(platform).model_copy(update={"webhook": "http://localhost:1/x"})
    message = await told(notify, strange, Channel.DINGTALK)
    assert (message.status, "NOTIFY_DINGTALK_HOST" in message.reason) == (Status.FAILED, True)


async def test_the_newest_conversation_counts_and_an_erasure_takes_it_away(notify, platform):
    of = facts(channel=Channel.DINGTALK)
    for session, hours in (("s-1", 1.5), ("s-2", 2.5), ("s-0", 0.5)):
        said = reply(of, "还是不行", inbound=True, channel=Channel.DINGTALK)
        await notify.hear(said.model_copy(update={"reply": dingtalk(platform, session, hours)}))
    (row,) = await notify.rows("select webhook from reply_sessions")
    assert row["webhook"].endswith("s-2")
    await notify.hear(contacts_erased(of))
    await notify.hear(received(of).model_copy(update={"reply": dingtalk(platform, "s-3", 9)}))
    assert await notify.rows("select * from reply_sessions") == []


def test_a_long_text_is_cut_at_ends_of_lines_into_what_one_message_holds():
    assert parts_of("短") == ["短"]
    lines = ["慢" * 300, "快" * 300, "好" * 300]
    assert parts_of("\n".join(lines)) == ["\n".join(lines[:2]), lines[2]]
    whole = parts_of("慢" * 2000)
    assert ("".join(whole), max(len(each.encode()) for each in whole) <= MAX_BYTES) == ("慢" * 2000, True)
