"""Which mails a machine wrote, and what they are about (RFC 3834, 3464)."""

import pytest

from intake_service.channels.email.mail import read
from intake_service.domain.message import Automatic
from tests.support.mails import auto_reply, bounce, html, lines, mail, of_parts, part, text

AWAY = "Subject: Automatic reply: away"
MACHINES = {
    "an answering machine (RFC 3834)": (auto_reply("m-1@shop.example"), Automatic.AUTO_REPLY),
    "a generated mail": (mail("x", "Auto-Submitted: auto-generated"), Automatic.AUTO_REPLY),
    "an old answering machine": (mail("x", "X-Autoreply: yes"), Automatic.AUTO_REPLY),
    "another": (mail("x", "Precedence: auto_reply"), Automatic.AUTO_REPLY),
    "one that says so in its subject": (mail("x", "In-Reply-To: <a@b>", subject=AWAY), Automatic.AUTO_REPLY),
    "one in Chinese": (mail("x", "In-Reply-To: <a@b>", subject="Subject: 自动回复：收到"), Automatic.AUTO_REPLY),
    "a bulk answer": (mail("x", "In-Reply-To: <a@b>", "Precedence: bulk"), Automatic.AUTO_REPLY),
    "whoever names no sender": (mail("x", "Return-Path: <>"), Automatic.AUTO_REPLY),
    "a bounce (RFC 3464)": (bounce("m-1@shop.example"), Automatic.BOUNCE),
    "a bounce without parts": (
        mail(
            "Message-ID: <m-1@shop.example>",
            "Return-Path: <>",
            sender="From: MAILER-DAEMON@a.example",
        ),
        Automatic.BOUNCE,
    ),
    "a bounce that names the failed": (mail("x", "X-Failed-Recipients: a@b.example"), Automatic.BOUNCE),
    "a receipt that it was read": (
        of_parts(
            "report",
            text("Read."),
            more="; report-type=disposition-notification",
        ),
        Automatic.REPORT,
    ),
    "a report of abuse": (of_parts("report", text("Spam."), more="; report-type=feedback-report"), Automatic.REPORT),
}


@pytest.mark.parametrize(("raw", "kind"), MACHINES.values(), ids=MACHINES.keys())
def test_a_machine_is_recognised(raw, kind):
    assert read(raw).automatic is kind


PEOPLE = {
    "a person": mail(),
    "a person who says no": mail("x", "Auto-Submitted: no"),
    "a person by a list": mail("x", "List-Id: <help.lists.example>", "Precedence: list"),
    "a person who complains of automatic replies": mail(subject=AWAY),
    "a person whose program asks for no answer": mail("x", "X-Auto-Response-Suppress: OOF"),
    "a postmaster who writes himself": mail(sender="From: postmaster@a.example"),
    "a person in HTML": of_parts("alternative", text("x"), html("<p>x</p>")),
}


@pytest.mark.parametrize("raw", PEOPLE.values(), ids=PEOPLE.keys())
def test_a_person_is_no_machine(raw):
    assert read(raw).automatic is None


def test_a_null_envelope_sender_is_a_machines_and_a_filled_one_overrules_the_return_path():
    assert read(mail(), envelope_sender="").automatic is Automatic.AUTO_REPLY
    assert read(mail("x", "Return-Path: <>"), envelope_sender="zhang@example.com").automatic is None


def test_a_bounce_tells_which_mail_it_is_about_and_why():
    report = read(bounce("m-1@shop.example", status="5.7.1")).report
    assert (report.about, report.status, report.action) == (("m-1@shop.example",), "5.7.1", "failed")


def test_a_bounce_with_the_whole_mail_tells_it_too():
    status = part("Reporting-MTA: dns; a\r\n\r\nAction: failed", "Content-Type: message/delivery-status")
    whole = part(mail("ours", message_id="m-9@shop.example"), "Content-Type: message/rfc822")
    assert read(of_parts("report", text("No."), status, whole)).report.about == ("m-9@shop.example",)


def test_a_bounce_without_parts_tells_it_by_the_line_that_it_quotes():
    raw = lines("From: MAILER-DAEMON@a.example", "Return-Path: <>", "", "Message-ID: <m-2@shop.example>", "")
    assert read(raw).report.about == ("m-2@shop.example",)
