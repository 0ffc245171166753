"""Reading mails as they come. Every expectation is written by hand; the mails are `tests.support.mails`."""

from base64 import b64encode
from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_service.channels.email.incoming import incoming
from intake_service.channels.email.mail import Mail, read
from tests.support.mails import file, html, lines, mail, multipart, nested, of_parts, part, printable, text

NOW = datetime(2024, 5, 10, 2, 21, tzinfo=UTC)
LOST = "\ufffd"


def b64(words: str, charset: str = "utf-8") -> str:
    return b64encode(words.encode(charset)).decode()


SUBJECTS = {
    "plain": ("Subject: An order", "An order"),
    "base64": (f"Subject: =?UTF-8?B?{b64('订单无法查询')}?=", "订单无法查询"),
    "quoted-printable with underscores": ("Subject: =?utf-8?Q?Stra=C3=9Fe_ist_zu?=", "Straße ist zu"),
    "gb2312 that is gb18030": (f"Subject: =?gb2312?B?{b64('镕㐀', 'gb18030')}?=", "镕㐀"),
    "a character broken over two words": (
        (
            f"Subject: =?gbk?B?{b64encode('订单'.encode('gbk')[:3]).decode()}?=\r\n"
            f" =?gbk?B?{b64encode('订单'.encode('gbk')[3:]).decode()}?="
        ),
        "订单",
    ),
    "blanks between words": (f"Subject: =?utf-8?B?{b64('订')}?=  =?utf-8?B?{b64('单')}?= no 7", "订单 no 7"),
    "words without blanks around": (f"Subject: Re:=?utf-8?B?{b64('订单')}?=!", "Re:订单!"),
    "base64 without padding": (f"Subject: =?utf-8?B?{b64('订单a').rstrip('=')}?=", "订单a"),
    "blanks inside a word": ("Subject: =?utf-8?Q?two words?=", "two words"),
    "an unknown charset": (f"Subject: =?x-nobody?B?{b64('订单无法查询')}?=", "订单无法查询"),
    "a language tag": (f"Subject: =?utf-8*zh-CN?B?{b64('订单')}?=", "订单"),
    "bare UTF-8": ("Subject: 订单无法查询".encode(), "订单无法查询"),
    "bare GBK": ("Subject: 订单无法查询，请尽快处理".encode("gbk"), "订单无法查询，请尽快处理"),
    "bare Latin-1": ("Subject: Gr\xf6\xdfe".encode("latin-1"), "Größe"),
    "folded": ("Subject: one\r\n two\r\n\tthree", "one two three"),
    "a word that hides a line break": (
        f"Subject: =?utf-8?B?{b64('a' + chr(13) + chr(10) + 'Bcc: x@y.z')}?=",
        "a Bcc: x@y.z",
    ),
    "a mark that turns the direction": (f"Subject: =?utf-8?B?{b64('file' + chr(0x202E) + 'gpj.exe')}?=", "filegpj.exe"),
    "a NUL": (b"Subject: a\x00b", "ab"),
    "an unfinished word": ("Subject: =?utf-8?B?5L2g", "=?utf-8?B?5L2g"),
    "none": (None, ""),
    "too long": ("Subject: " + "x" * 3_000, "x" * 500),
}


@pytest.mark.parametrize(("field", "told"), SUBJECTS.values(), ids=SUBJECTS.keys())
def test_a_subject_is_read_however_it_is_written(field, told):
    assert read(mail(subject=field)).subject == told


SENDERS = {
    "plain": ("From: zhang@example.com", ("", "zhang@example.com")),
    "name": ("From: Zhang San <zhang@example.com>", ("Zhang San", "zhang@example.com")),
    "an encoded name": (f"From: =?gb2312?B?{b64('张三', 'gbk')}?= <zhang@example.com>", ("张三", "zhang@example.com")),
    "an encoded name in quotes": (
        f'From: "=?utf-8?B?{b64("张三")}?=" <zhang@example.com>',
        ("张三", "zhang@example.com"),
    ),
    "a name of bare GBK": ("From: 张三丰 <zhang@example.com>".encode("gbk"), ("张三丰", "zhang@example.com")),
    "an encoded address inside the name": (
        f"From: =?utf-8?B?{b64('boss@shop.example <boss@shop.example>,')}?= <zhang@example.com>",
        ("boss@shop.example <boss@shop.example>,", "zhang@example.com"),
    ),
    "an address as name": ('From: "boss@shop.example" <zhang@example.com>', ("boss@shop.example", "zhang@example.com")),
    "two": ("From: a@example.com, b@example.com", ("", "a@example.com")),
    "a comment": ("From: zhang@example.com (Zhang San)", ("Zhang San", "zhang@example.com")),
    "no angle bracket at the end": ("From: Zhang <zhang@example.com", ("Zhang", "zhang@example.com")),
    "no address": ("From: Zhang San", None),
    "empty": ("From:", None),
    "none": (None, None),
    "nothing but brackets": ("From: " + "<" * 5_000, None),
}


@pytest.mark.parametrize(("field", "told"), SENDERS.values(), ids=SENDERS.keys())
def test_a_sender_is_read_however_it_is_written(field, told):
    sender = read(mail(sender=field)).sender
    assert (sender and (sender.name, sender.address)) == told


def test_without_from_the_sender_field_counts():
    sender = read(mail("x", "Sender: li@example.com", sender=None)).sender
    assert sender is not None
    assert sender.address == "li@example.com"


DATES = {
    "plain": ("Date: Fri, 10 May 2024 10:20:00 +0800", datetime(2024, 5, 10, 2, 20, tzinfo=UTC)),
    "a named zone": ("Date: Fri, 10 May 2024 02:20:00 GMT", datetime(2024, 5, 10, 2, 20, tzinfo=UTC)),
    "no zone": ("Date: Fri, 10 May 2024 02:20:00", datetime(2024, 5, 10, 2, 20, tzinfo=UTC)),
    "two digits of a year": ("Date: 10 May 98 02:20:00 +0000", datetime(1998, 5, 10, 2, 20, tzinfo=UTC)),
    "a comment": ("Date: Fri, 10 May 2024 10:20:00 +0800 (CST)", datetime(2024, 5, 10, 2, 20, tzinfo=UTC)),
    "year 0001 (obs-year)": ("Date: Mon, 1 Jan 0001 00:00:00 +0000", datetime(2001, 1, 1, tzinfo=UTC)),
    "year 9999": ("Date: Fri, 31 Dec 9999 23:59:59 -1200", None),
    "day 42": ("Date: Fri, 42 May 2024 10:20:00 +0800", None),
    "words": ("Date: yesterday", None),
    "none": (None, None),
}


@pytest.mark.parametrize(("field", "told"), DATES.values(), ids=DATES.keys())
def test_a_date_is_read_or_there_is_none(field, told):
    assert read(mail(date=field)).sent_at == told


HAN = "从早上开始一直加载失败，请尽快处理。"
BODIES = {
    "ASCII": (mail("It is broken."), "It is broken."),
    "UTF-8 without any label": (mail(HAN), HAN),
    "GBK without any label": (mail(HAN.encode("gbk")), HAN),
    "gb2312 that is gb18030": (
        mail((HAN + "镕").encode("gb18030"), "Content-Type: text/plain; charset=gb2312"),
        HAN + "镕",
    ),
    "UTF-8 that says gb2312 of one letter": (mail("ü", "Content-Type: text/plain; charset=us-ascii"), "ü"),
    "UTF-8 that says it is ASCII": (mail(HAN, "Content-Type: text/plain; charset=us-ascii"), HAN),
    "a charset nobody knows": (mail(HAN, "Content-Type: text/plain; charset=x-klingon"), HAN),
    "a codec that is no charset": (mail("a\\u4e00", "Content-Type: text/plain; charset=unicode_escape"), "a\\u4e00"),
    "Big5": (mail("訂單無法查詢".encode("big5"), "Content-Type: text/plain; charset=big5"), "訂單無法查詢"),
    "UTF-16 with a mark": (
        mail(
            b64encode(HAN.encode("utf-16")),
            "Content-Type: text/plain; charset=utf-16",
            "Content-Transfer-Encoding: base64",
        ),
        HAN,
    ),
    "HZ": (mail(HAN.encode("hz"), "Content-Type: text/plain; charset=hz-gb-2312"), HAN),
    "one bad byte in much text": (
        mail((HAN * 20).encode("gbk") + b"\xff" + HAN.encode("gbk"), "Content-Type: text/plain; charset=gbk"),
        HAN * 20 + LOST + HAN,
    ),
    "quoted-printable": (
        mail(printable(HAN), "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"),
        HAN,
    ),
    "broken base64": (
        mail("SGVsbG8gd29ybGQ", "Content-Type: text/plain", "Content-Transfer-Encoding: base64"),
        "Hello world",
    ),
    "an encoding nobody knows": (mail("plain", "Content-Transfer-Encoding: x-nobody"), "plain"),
    "control characters": (mail(b"a\x00b\x07c"), "abc"),
    "format=flowed": (
        mail("One \r\nline.\r\n> quoted \r\n> too\r\nNext.", "Content-Type: text/plain; format=flowed"),
        "One line.\n> quoted too\nNext.",
    ),
    "two texts beside each other": (of_parts("mixed", text("Above."), text("Below.")), "Above.\n\nBelow."),
    "HTML beside text": (of_parts("alternative", text("Plain."), html("<p>Rich.</p>")), "Plain."),
    "HTML beside empty text": (of_parts("alternative", text("  "), html("<p>Rich.</p>")), "Rich."),
    "HTML alone": (
        mail("<p>One<br>two &amp; three</p><ul><li>a</li><li>b</li></ul>", "Content-Type: text/html"),
        "One\ntwo & three\n- a\n- b",
    ),
    "HTML with a link": (
        mail('<a href="https://shop.example/o/1">order</a>', "Content-Type: text/html"),
        "order <https://shop.example/o/1>",
    ),
    "HTML with script and style": (
        mail("<style>p{}</style><script>alert(1)</script><p onclick=x>Seen</p>", "Content-Type: text/html"),
        "Seen",
    ),
    "HTML that never ends": (mail("<div><p>open", "Content-Type: text/html"), "open"),
    "no body": (mail(""), ""),
    "a multipart without a boundary": (mail("lost?", "Content-Type: multipart/mixed"), "lost?"),
    "a multipart whose boundary never comes": (mail("text", 'Content-Type: multipart/mixed; boundary="x"'), "text"),
    "a boundary that never ends": (mail("--x\r\n\r\nfirst", 'Content-Type: multipart/mixed; boundary="x"'), "first"),
    "a content type that is none": (mail("plain", "Content-Type: nothing"), "plain"),
    "bare linefeeds": (mail("one\r\ntwo").replace(b"\r\n", b"\n"), "one\ntwo"),
    "40 levels deep": (nested(40, text("Down here.")), "Down here."),
}


@pytest.mark.parametrize(("raw", "told"), BODIES.values(), ids=BODIES.keys())
def test_a_body_is_read_however_it_is_written(raw, told):
    assert read(raw).text == told


ORIGINAL = "> 您好\r\n> 请提供订单号"
QUOTES = {
    "marks": (f"订单号 7\r\n\r\n{ORIGINAL}", "订单号 7", "> 您好\n> 请提供订单号"),
    "an English introduction": (f"7\r\n\r\nOn Fri, 10 May 2024, Help wrote:\r\n{ORIGINAL}", "7", "On Fri,"),
    "an introduction of two lines": (
        f"7\r\n\r\nOn Fri, 10 May 2024 at 10:20,\r\nHelp wrote:\r\n{ORIGINAL}",
        "7",
        "On Fri,",
    ),
    "a Chinese introduction": (
        f"7\r\n\r\n在 2024年5月10日，Help <help@shop.example> 写道：\r\n{ORIGINAL}",
        "7",
        "在 2024",
    ),
    "QQ": ("7\r\n\r\n------------------ 原始邮件 ------------------\r\n发件人: help\r\n您好", "7", "------"),
    "Outlook": ("7\r\n\r\nFrom: Help\r\nSent: Friday\r\nTo: Zhang\r\nSubject: Order\r\n\r\nHello", "7", "From: Help"),
    "Outlook in Chinese": (
        "7\r\n\r\n发件人: 客服\r\n发送时间: 周五\r\n收件人: 张三\r\n主题: 订单\r\n\r\n您好",
        "7",
        "发件人: 客服",
    ),
}


@pytest.mark.parametrize(("body", "written", "begins"), QUOTES.values(), ids=QUOTES.keys())
def test_what_is_answered_is_kept_apart(body, written, begins):
    found = read(mail(body))
    assert found.text == written
    assert found.quoted.startswith(begins)


WHOLE = {
    "answers between the lines": "> 您好\n7\n> 订单号\n是 7",
    "nothing but a quote": "> 您好",
    "a story that says who wrote": "客服写道：\n不予退款\n这不合理",
    "one line that looks like a field": "From: the beginning it was slow\nand then it stopped",
}


@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE.keys())
def test_where_a_cut_could_lose_words_nothing_is_cut(body):
    found = read(mail(body))
    assert (found.text, found.quoted) == (body, "")


def test_what_is_forwarded_is_what_it_is_about():
    body = "请看\n\n------------------ 原始邮件 ------------------\n发件人: 张三\n坏了"
    assert read(mail(body, subject="Subject: 转发：坏了")).text == body


PDF = b"%PDF-1.4 nothing"
NAMES = {
    "plain": ('Content-Disposition: attachment; filename="bill.pdf"', "bill.pdf"),
    "in the content type": ('Content-Type: application/pdf; name="bill.pdf"', "bill.pdf"),
    "RFC 2231": ("Content-Disposition: attachment; filename*=UTF-8''%E8%B4%A6%E5%8D%95.pdf", "账单.pdf"),
    "RFC 2231 continued": (
        "Content-Disposition: attachment; filename*0*=UTF-8''%E8%B4%A6; filename*1*=%E5%8D%95; filename*2=.pdf",
        "账单.pdf",
    ),
    "RFC 2231 beside a plain one": (
        "Content-Disposition: attachment; filename=\"a.pdf\"; filename*=UTF-8''b.pdf",
        "b.pdf",
    ),
    "RFC 2047 in quotes": (
        f'Content-Disposition: attachment; filename="=?gb2312?B?{b64("账单.pdf", "gbk")}?="',
        "账单.pdf",
    ),
    "bare UTF-8": ('Content-Disposition: attachment; filename="账单.pdf"', "账单.pdf"),
    "bare GBK": ('Content-Disposition: attachment; filename="账单明细.pdf"'.encode("gbk"), "账单明细.pdf"),
    "a path": ('Content-Disposition: attachment; filename="..\\\\..\\\\etc/passwd"', "passwd"),
    "a turned direction": ("Content-Disposition: attachment; filename*=UTF-8''bill%E2%80%AEfdp.exe", "billfdp.exe"),
    "none": ("Content-Disposition: attachment", "part-1.bin"),
}


@pytest.mark.parametrize(("field", "name"), NAMES.values(), ids=NAMES.keys())
def test_a_file_has_its_name(field, name):
    found = read(of_parts("mixed", text("Hello."), file(PDF, field)))
    assert [(each.filename, each.content) for each in found.attached] == [(name, PDF)]
    assert found.text == "Hello."


NOTED = {
    "TNEF": (of_parts("mixed", text("x"), file(b"\x78\x9f\x3e\x22", "Content-Type: application/ms-tnef")), "tnef"),
    "winmail.dat": (
        of_parts("mixed", text("x"), file(b"\x78", 'Content-Type: application/octet-stream; name="winmail.dat"')),
        "tnef",
    ),
    "an invitation": (
        of_parts("alternative", text("x"), part("BEGIN:VCALENDAR", "Content-Type: text/calendar")),
        "calendar",
    ),
    "S/MIME": (mail("MIIB", "Content-Type: application/pkcs7-mime", "Content-Transfer-Encoding: base64"), "smime"),
    "a signature": (
        of_parts("signed", text("x"), file(b"0", "Content-Type: application/pkcs7-signature; name=smime.p7s")),
        "smime_signature",
    ),
    "PGP": (of_parts("encrypted", part("Version: 1", "Content-Type: application/pgp-encrypted")), "pgp"),
    "a mail inside": (of_parts("mixed", text("x"), part(mail("inner"), "Content-Type: message/rfc822")), "nested"),
    "a list": (mail("x", "List-Id: <help.lists.example>"), "list"),
    "no date": (mail(date=None), "no_date"),
    "no message id": (mail(message_id=None), "no_message_id"),
    "no sender": (mail(sender=None), "no_sender"),
    "more parts than are read": (of_parts("mixed", *[text("x")] * 300), "cut"),
    "more text than is read": (mail("x" * 500_000), "cut"),
    "too many multiparts": (nested(400, text("x")), "malformed"),
}


@pytest.mark.parametrize(("raw", "note"), NOTED.values(), ids=NOTED.keys())
def test_what_is_special_is_noted(raw, note):
    assert note in read(raw).notes


def test_a_mail_inside_is_an_attached_mail_and_its_words_are_not_the_senders():
    found = read(
        of_parts("mixed", text("See below."), part(mail("inner", subject="Subject: x"), "Content-Type: message/rfc822"))
    )
    assert found.text == "See below."
    (inner,) = found.attached
    assert (inner.filename, inner.media_type) == ("message.eml", "message/rfc822")
    assert read(inner.content).text == "inner"


def test_pictures_in_the_text_are_attached_with_their_content_id():
    field, body = multipart(
        "related", html('<img src="cid:1@x">'), file(b"GIF89a", "Content-Type: image/gif", "Content-ID: <1@x>")
    )
    (picture,) = read(mail(body, field)).attached
    assert (picture.content_id, picture.media_type, picture.content) == ("1@x", "image/gif", b"GIF89a")


def test_an_archive_is_never_unpacked():
    bomb = b"PK\x03\x04" + b"\x00" * 100
    (attached,) = read(of_parts("mixed", file(bomb, 'Content-Type: application/zip; name="42.zip"'))).attached
    assert attached.content == bomb


def test_shown_html_runs_nothing_and_calls_nobody():
    evil = (
        '<p onclick="x()">a</p><script></script><img src="https://spy.example/1.gif"><img src="cid:1"><iframe></iframe>'
        '<a href="javascript:x()">b</a><form action="//evil"><input></form><svg onload=x()><style>*{}</style>'
    )
    shown = read(mail(evil, "Content-Type: text/html")).html
    for bad in ("onclick", "script", "spy.example", "iframe", "form", "input", "svg", "style"):
        assert bad not in shown
    assert 'src="cid:1"' in shown


def test_5000_recipients_are_read_as_far_as_they_matter():
    to = "To: " + ",\r\n ".join(f"u{n}@shop.example" for n in range(5_000))
    found = read(mail(to=to))
    assert (len(found.recipients), found.recipients[0].address) == (50, "u0@shop.example")


def test_without_a_message_id_the_bytes_are_the_id():
    first, again, other = (read(mail(body, message_id=None)).message_id for body in ("a", "a", "b"))
    assert first == again != other
    assert first.startswith("sha256-")


def test_an_id_that_is_too_long_is_known_by_its_hash():
    assert read(mail(message_id="x" * 400 + "@y")).message_id.startswith("sha256-")


def test_ids_of_a_thread_are_read_in_order():
    found = read(mail("x", "In-Reply-To: <b@x> (sent yesterday)", "References: <a@x>\r\n\t<b@x> <a@x>"))
    assert (found.in_reply_to, found.references) == ("b@x", ("a@x", "b@x"))


def test_what_servers_checked_is_recorded():
    found = read(
        mail(
            "x",
            "Authentication-Results: mx.shop.example (v1); dkim=pass (2048) header.d=example.com; spf=fail; dmarc=none",
            "Received-SPF: SoftFail (mx) client-ip=192.0.2.1",
            "ARC-Authentication-Results: i=1; relay.example; arc=pass",
            "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=relay.example",
        )
    ).checked
    assert [each.domain for each in found] == ["example.com", "", "", "", "", "relay.example"]
    assert [(each.field, each.server, each.method, each.result) for each in found] == [
        ("Authentication-Results", "mx.shop.example", "dkim", "pass"),
        ("Authentication-Results", "mx.shop.example", "spf", "fail"),
        ("Authentication-Results", "mx.shop.example", "dmarc", "none"),
        ("ARC-Authentication-Results", "relay.example", "arc", "pass"),
        ("Received-SPF", "", "spf", "softfail"),
        ("ARC-Seal", "", "arc", "none"),
    ]


HOSTILE = {
    "divisions without end": mail("<div>" * 100_000 + "x", "Content-Type: text/html"),
    "angle brackets": mail("<" * 500_000, "Content-Type: text/html"),
    "parts without end": mail(b"--b\r\n\r\nx\r\n" * 100_000, "Content-Type: multipart/mixed; boundary=b"),
    "3000 multiparts": nested(3_000, text("x")),
    "encoded words without end": mail(subject="Subject: " + "=?utf-8?q?a?= " * 50_000),
    "brackets in an address": mail(sender="From: " + "(" * 20_000),
    "quotes in an address": mail(sender="From: " + 'a"' * 20_000),
    "parameters without end": mail("x", "Content-Type: text/plain;" + " x*0*=y;" * 10_000),
    "fields without end": lines(*["X: y"] * 50_000, "", "x"),
    "one line of a megabyte": mail("x" * 1_000_000),
    "quotes without end": mail("On x wrote " * 50_000),
    "marks without end": mail(">" * 500_000),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_mail_takes_long(raw):
    began = perf_counter()
    read(raw)
    assert perf_counter() - began < 5


_pieces = st.sampled_from(
    [
        *(b"From: ", b"Subject: ", b"Date: ", b"Message-ID: <", b">", b"<", b'"', b"a@b.c", b"\r\n", b"\x00", b"\xff"),
        *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: multipart/report; boundary=b\r\n"),
        *(b"Content-Type: text/html\r\n", b"Content-Type: message/rfc822\r\n", b"--b\r\n", b"--b--\r\n", b"=?utf-8?B?"),
        *(b"Content-Type: message/delivery-status\r\n", b"Content-Transfer-Encoding: base64\r\n", b"?="),
        *(b"Content-Disposition: ", b"filename*0*=", b"charset=gb2312"),
        *(b"Authentication-Results: ", b"mx; dkim=", b"pass header.d=", b"ARC-Seal: ", b"cv=", b"Received-SPF: "),
        *(b"Action: ", b"Status: ", b"Original-Message-ID: ", b"\xe3\x80\x80"),
    ]
)


CHECKS = {
    "a signature of a user": ("dkim=pass header.i=@News.example.com", "news.example.com"),
    "a sender in quotes": ('spf=pass smtp.mailfrom="zhang@example.com"', "example.com"),
    "a bare sender": ("spf=pass smtp.mailfrom=example.com", "example.com"),
    "a comment between": ("dkim=pass (good (very) good) header.d=example.com", "example.com"),
    "several": ("dmarc=pass policy.dmarc=none header.from=example.com", "example.com"),
    "none": ("iprev=pass", ""),
}


@pytest.mark.parametrize(("told", "domain"), CHECKS.values(), ids=CHECKS.keys())
def test_a_check_tells_whose_domain_it_was(told, domain):
    (found,) = read(mail("x", f"Authentication-Results: mx.shop.example; {told}")).checked
    assert found.domain == domain


@pytest.mark.parametrize(
    ("head", "bulk", "unauthenticated"),
    [
        ("", False, False),
        ("List-Id: <news.example>\r\n", True, False),
        ("Authentication-Results: mx.shop.example; spf=fail; dkim=none\r\n", False, True),
        ("Authentication-Results: mx.shop.example; spf=softfail; dkim=pass header.d=a.example\r\n", False, False),
        ("Authentication-Results: mx.shop.example; spf=neutral\r\n", False, False),
        (
            (
                "Authentication-Results: mx.shop.example; dmarc=fail\r\n"
                "Authentication-Results: mx.evil.example; dmarc=pass\r\n"
            ),
            False,
            True,
        ),
    ],
)
def test_lists_and_failed_checks_of_the_nearest_server_are_told_for_the_score_of_spam(head, bulk, unauthenticated):
    mail = read(f"{head}From: zhang@example.com\r\nMessage-ID: <1@example.com>\r\n\r\n查询失败\r\n".encode())
    signs = incoming(mail, account="help@shop.example", received_at=NOW).signs
    assert (signs.bulk, signs.unauthenticated) == (bulk, unauthenticated)


@given(st.lists(st.one_of(_pieces, st.binary(max_size=20)), max_size=40).map(b"".join))
def test_whatever_comes_is_read_always_the_same(raw):
    found = read(raw)
    assert isinstance(found, Mail)
    assert incoming(found, account="help@shop.example", received_at=NOW).details is not None
    assert read(raw) == found
    for words in (found.text, found.quoted, found.html, found.subject, found.message_id):
        words.encode()
        assert "\x00" not in words
