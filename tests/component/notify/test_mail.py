"""Mails over a real SMTP server: what arrives, what is tried again, what is given up."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta

import pytest

from notify_service.domain import Status
from shared.contracts.notify import MessageDeliveredV1, MessageFailedV1
from shared.contracts.vocabulary import Channel, Language
from shared.db import Database
from tests.component.notify import happenings as told
from tests.component.notify.kit import MailServer, Notify, contacts, mail_server
from tests.support.builders import RECEIVED, facts, received, resolved

Schemas = Callable[[str], Awaitable[Database]]


@pytest.fixture
async def mail() -> AsyncGenerator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def notify(schema_of: Schemas, mail: MailServer) -> Notify:
    return Notify(await schema_of("notify"), mail, retry_first_seconds=10)


async def test_a_mail_arrives_in_chinese_with_text_and_html_and_a_receipt(notify: Notify, mail: MailServer) -> None:
    of = facts(preferred_channel=Channel.EMAIL)
    await notify.hear(contacts(of), resolved(of))
    await notify.deliver()
    (arrived,) = mail.mails
    message = await notify.message()
    assert arrived["Subject"] == "处理结果:C-20240510-000001"
    assert arrived["From"] == "客户服务中心 <service@shop.example>"
    assert arrived["To"] == "wang@shop.example"
    assert arrived["Message-ID"] == f"<{message.message_id}@shop.example>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    text, html = arrived.iter_parts()
    assert "一、问题原因\r\n数据库索引失效,查询超时" in text.get_content()
    assert "<h3>四、补偿方案</h3>" in html.get_content()
    assert mail.envelopes[0].rcpt_tos == ["wang@shop.example"]
    (event,) = await notify.published()
    assert isinstance(event, MessageDeliveredV1)
    assert event.receipt == "250 queued as 1"
    assert "wang@" not in event.model_dump_json()


async def test_a_customer_who_reads_english_gets_it_in_english(notify: Notify, mail: MailServer) -> None:
    of = facts(preferred_channel=Channel.EMAIL)
    await notify.hear(contacts(of, language=Language.EN), resolved(of))
    await notify.deliver()
    assert mail.mails[0]["Subject"] == "The outcome of your complaint C-20240510-000001"
    assert mail.mails[0]["From"] == "Customer Care <service@shop.example>"


async def test_a_server_that_was_away_gets_each_mail_once_when_it_is_back(notify: Notify, mail: MailServer) -> None:
    of = facts(preferred_channel=Channel.EMAIL)
    await mail.stop()
    await notify.hear(contacts(of), received(of), told.progress(of), told.transfer(of))
    await notify.deliver()
    assert {message.status for message in await notify.messages()} == {Status.QUEUED}
    assert (await notify.messages())[0].reason.startswith("mail server: SMTPConnectError")
    assert await notify.published() == []
    await mail.start()
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=10))
    await notify.deliver()
    await notify.clock.advance_to(RECEIVED + timedelta(hours=1))
    await notify.deliver()
    assert len(mail.mails) == 3
    assert {message.attempts for message in await notify.messages()} == {2}
    assert len(await notify.published()) == 3


async def test_a_server_that_says_not_now_gets_it_later(notify: Notify, mail: MailServer) -> None:
    of = facts(preferred_channel=Channel.EMAIL)
    mail.answers = ["451 try again later"]
    await notify.hear(contacts(of), received(of))
    await notify.deliver()
    assert (await notify.message()).reason == "451 try again later"
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=10))
    await notify.deliver()
    assert len(mail.mails) == 1
    assert (await notify.message()).status is Status.DELIVERED


@pytest.mark.parametrize("at_recipient", [True, False])
async def test_a_refusal_for_good_fails_at_once_and_its_neighbours_go_on(
    notify: Notify, mail: MailServer, at_recipient: bool
) -> None:
    refusal = ["550 no such user here"]
    mail.rcpt_answers, mail.answers = (refusal, []) if at_recipient else ([], refusal)
    for _ in range(3):
        of = facts(preferred_channel=Channel.EMAIL)
        await notify.hear(contacts(of), received(of))
    await notify.deliver()
    assert len(mail.mails) == 2
    failed, *delivered = sorted(await notify.published(), key=lambda event: isinstance(event, MessageDeliveredV1))
    assert isinstance(failed, MessageFailedV1)
    assert (failed.attempts, failed.reason) == (1, "550 no such user here")
    assert len(delivered) == 2


async def test_an_address_that_the_server_repeats_in_its_answer_is_kept_masked(
    notify: Notify, mail: MailServer
) -> None:
    of = facts(preferred_channel=Channel.EMAIL)
    mail.rcpt_answers = ["550 5.1.1 <Wang@shop.example>: user unknown"]
    await notify.hear(contacts(of), received(of))
    await notify.deliver()
    assert (await notify.message()).reason == "550 5.1.1 <w***@shop.example>: user unknown"
    (event,) = await notify.published()
    assert "wang@" not in event.model_dump_json().lower()


async def test_a_connection_that_breaks_costs_one_mail_an_attempt_and_not_the_others(
    notify: Notify, mail: MailServer
) -> None:
    mail.answers = ["421 going down"]
    for _ in range(3):
        of = facts(preferred_channel=Channel.EMAIL)
        await notify.hear(contacts(of), received(of))
    await notify.deliver()
    assert len(mail.mails) == 2
    await notify.clock.advance_to(RECEIVED + timedelta(seconds=10))
    await notify.deliver()
    assert len({arrived["Message-ID"] for arrived in mail.mails}) == len(mail.mails) == 3


async def test_nothing_that_a_customer_wrote_becomes_a_header_or_a_second_recipient(
    notify: Notify, mail: MailServer
) -> None:
    of = facts(preferred_channel=Channel.EMAIL, number="C-1\r\nBcc: all@shop.example")
    await notify.hear(contacts(of, emails=("a@shop.example\r\nBcc: x@y.example", "wang@shop.example")), received(of))
    await notify.deliver()
    (arrived,) = mail.mails
    assert arrived["Bcc"] is None
    assert arrived["To"] == "wang@shop.example"
    assert mail.envelopes[0].rcpt_tos == ["wang@shop.example"]


async def test_many_mails_share_a_few_connections(notify: Notify, mail: MailServer) -> None:
    people = [facts(preferred_channel=Channel.EMAIL) for _ in range(50)]
    for of in people:
        await notify.hear(contacts(of), received(of))
    assert await notify.deliver() == 50
    assert len(mail.mails) == 50
