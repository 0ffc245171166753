"""Mails are proper MIME, and nothing that somebody wrote becomes a header."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_service.carriers import Letter, SmtpAccount, compose
from shared.contracts.vocabulary import Language, Means
from shared.replies import Replies, Use, token_of_address, token_of_message_id

ACCOUNT = SmtpAccount(
    "127.0.0.1", 25, "service@shop.example", {Language.ZH: "客户服务中心", Language.EN: "Customer Care"}
)


def letter(**changes: Any) -> Letter:
    given: dict[str, Any] = {
        "message_id": UUID("018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e40"),
        "means": Means.EMAIL,
        "address": "wang@shop.example",
        "account": None,
        "audience": "complainant",
        "language": Language.ZH,
        "subject": "您反映的问题已受理,编号 C-20240510-000001",
        "text": "您好\n",
        "html": "<p>您好</p>",
        "written_at": datetime(2024, 5, 10, 2, 20, tzinfo=UTC),
    }
    return Letter(**(given | changes))


def read(sent: Letter) -> EmailMessage:
    mail = message_from_bytes(compose(sent, ACCOUNT), policy=SMTP_POLICY)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_mail_says_who_writes_to_whom_and_that_a_machine_wrote_it() -> None:
    mail = read(letter())
    assert mail["From"] == "客户服务中心 <service@shop.example>"
    assert mail["To"] == "wang@shop.example"
    assert mail["Message-ID"] == "<018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e40@shop.example>"
    assert mail["Date"] == "Fri, 10 May 2024 02:20:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), text.get_content()) == ("text/plain", "您好\r\n")
    assert (html.get_content_type(), html.get_content()) == ("text/html", "<p>您好</p>\r\n")
    assert all(len(line) <= 998 and line.isascii() for line in compose(letter(), ACCOUNT).splitlines())


@pytest.mark.parametrize(
    "subject",
    [
        "您反映的问题已受理,编号 C-20240510-000001",
        "【转单】C-20240510-000001 请在 4 小时内答复",
        "[Transfer] C-20240510-000001: please answer within 4 hours, 研发部 and R&D 团队 " + "很长的主题 " * 20,
        "【升级】C-20240510-000001 转单响应(第 1 级)" * 4,
        "a" * 200,
    ],
)
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    assert read(letter(subject=subject.strip()))["Subject"] == subject.strip()


def test_a_subject_that_looks_encoded_is_not_decoded() -> None:
    mail = read(letter(subject="=?utf-8?q?a=0D=0ABcc:_all@shop.example?="))
    assert mail["Subject"] == "= ?utf-8?q?a=0D=0ABcc:_all@shop.example?="
    assert mail["Bcc"] is None


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=120).map(
        lambda text: " ".join(text.split())
    )
)
def test_no_subject_adds_a_header(subject: str) -> None:
    try:
        mail = read(letter(subject=subject))
    except ValueError:
        return  # refused is as good: the carrier says so
    assert sorted(mail.keys()) == sorted(read(letter()).keys())
    assert mail["Bcc"] is None


@pytest.mark.parametrize("subject", ["a\r\nBcc: all@shop.example", "a\nb", "a\rb"])
def test_a_line_break_in_a_subject_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        compose(letter(subject=subject), ACCOUNT)


def test_an_answer_and_a_bounce_tell_which_complaint_they_are_about() -> None:
    replies, complaint = Replies(b"a secret of the tests"), UUID("018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e41")
    account = replace(ACCOUNT, replies=replies, reply_mailbox="help@shop.example")
    sent = replace(letter(), complaint_id=complaint)
    mail = message_from_bytes(compose(sent, account), policy=SMTP_POLICY)
    assert replies.read(token_of_address(mail["Reply-To"]) or "") == (Use.REPLY, complaint)
    assert replies.read(token_of_message_id(mail["Message-ID"].strip("<>")) or "") == (Use.MAIL, complaint)
    assert replies.read(token_of_address(account.address(Use.BOUNCE, sent) or "") or "") == (Use.BOUNCE, complaint)


def test_a_mail_to_a_colleague_carries_no_token() -> None:
    account = replace(ACCOUNT, replies=Replies(b"a secret of the tests"), reply_mailbox="help@shop.example")
    mail = message_from_bytes(compose(letter(), account), policy=SMTP_POLICY)
    assert mail["Reply-To"] is None
    assert mail["Message-ID"] == "<018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e40@shop.example>"
