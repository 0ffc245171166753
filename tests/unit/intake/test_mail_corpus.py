"""A corpus of nasty mails, each whole: what a person is shown of it. Every expectation is written by hand."""

import pytest

from intake_service.channels.email.mail import read
from tests.support.mails import file, html, lines, mail, multipart, of_parts, part, text

JA, KO, RU = "注文が届きません。", "주문이 안 와요.", "Заказ не пришёл."
HAN = "从早上开始一直加载失败，请尽快处理。"


def plain(words: bytes, charset: str, *fields: str) -> bytes:
    return mail(words, f"Content-Type: text/plain; charset={charset}", *fields)


WORDS = {
    # Encodings of 1998 and of everywhere.
    "ISO-2022-JP": (plain(JA.encode("iso2022_jp"), "ISO-2022-JP"), JA),
    "Shift_JIS": (plain(JA.encode("cp932"), "Shift_JIS"), JA),
    "EUC-JP": (plain(JA.encode("euc_jp"), "EUC-JP"), JA),
    "EUC-KR": (plain(KO.encode("euc_kr"), "EUC-KR"), KO),
    "ks_c_5601-1987, as Outlook says": (plain(KO.encode("cp949"), "ks_c_5601-1987"), KO),
    "KOI8-R": (plain(RU.encode("koi8_r"), "koi8-r"), RU),
    "windows-1251": (plain(RU.encode("cp1251"), "windows-1251"), RU),
    "GB18030 with four bytes": (plain("㐀𠀀坏了".encode("gb18030"), "GB18030"), "㐀𠀀坏了"),
    "GBK in quotes": (plain(HAN.encode("gbk"), '"GBK"'), HAN),
    "a charset in single quotes": (plain(HAN.encode("gbk"), "'gbk'"), HAN),
    "curly quotes that say they are Latin-1": (plain(b"It\x92s broken \x96 \x80 5", "iso-8859-1"), "It’s broken – € 5"),
    "UTF-8 with a mark": (plain(b"\xef\xbb\xbf" + HAN.encode(), "utf-8"), HAN),
    "utf8 without a dash": (plain(HAN.encode(), "utf8"), HAN),
    "UTF-16 by 8 bits": (plain("坏了".encode("utf-16-le"), "utf-16le"), "坏了"),
    # Transfer encodings.
    "base64 with line noise": (
        mail("SGVs\r\n*bG8*\r\n!!gd29y bGQ=", "Content-Transfer-Encoding: base64"),
        "Hello world",
    ),
    "base64 in capitals with a comment": (mail("SGVsbG8=", "Content-Transfer-Encoding: BASE64 (yes)"), "Hello"),
    "quoted-printable in lower case": (
        plain(b"caf=c3=a9 =\r\nopen", "utf-8", "Content-Transfer-Encoding: quoted-printable"),
        "café open",
    ),
    "quoted-printable that is broken": (
        mail("100=% of it =", "Content-Transfer-Encoding: quoted-printable"),
        "100=% of it",
    ),
    "8 bits that say 7bit": (plain(HAN.encode(), "utf-8", "Content-Transfer-Encoding: 7bit"), HAN),
    # Lines.
    "format=flowed with DelSp": (
        mail("从早上 \r\n开始坏了", "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes"),
        "从早上开始坏了",
    ),
    "a flowed signature": (
        mail("One \r\nline.\r\n-- \r\nZhang", "Content-Type: text/plain; format=flowed"),
        "One line.\n-- \nZhang",
    ),
    "carriage returns alone": (mail(b"one\rtwo"), "one\ntwo"),
    "a form feed": (mail("one\x0ctwo"), "onetwo"),
    # The shape of a mail.
    "no field at all": (b"\r\nIt is broken.", "It is broken."),
    "no empty line behind the fields": (
        lines("From: zhang@example.com", "Subject: x", "It is broken."),
        "It is broken.",
    ),
    "the line of a mailbox before it": (
        b"From zhang@example.com Fri May 10 10:20:00 2024\r\n" + mail("It is broken."),
        "It is broken.",
    ),
    "a field without a colon": (mail("It is broken.", "X-Broken"), "X-Broken\n\nIt is broken."),
    "no MIME-Version": (of_parts("alternative", text("Plain."), html("<p>Rich.</p>")), "Plain."),
    "a content type twice": (mail("<p>x</p>", "Content-Type: text/plain", "Content-Type: text/html"), "<p>x</p>"),
    "text/rtf beside text": (of_parts("mixed", text("Plain."), part("{\\rtf1}", "Content-Type: text/rtf")), "Plain."),
    "a kind of text that nobody knows": (mail("It is broken.", "Content-Type: text/x-unknown"), ""),
    "markdown": (mail("*broken*", "Content-Type: text/markdown"), ""),
    # Boundaries.
    "blanks behind a boundary": (
        mail("--b  \r\n\r\nfirst\r\n--b-- \r\n", 'Content-Type: multipart/mixed; boundary="b"'),
        "first",
    ),
    "a boundary with strange signs": (
        mail(
            "--=_(b'+,./:=?)\r\n\r\nfirst\r\n--=_(b'+,./:=?)--",
            'Content-Type: multipart/mixed; boundary="=_(b\'+,./:=?)"',
        ),
        "first",
    ),
    "one boundary that begins another": (
        mail(
            "--b\r\nContent-Type: multipart/mixed; boundary=b2\r\n\r\n"
            "--b2\r\n\r\ninner\r\n--b2--\r\n--b\r\n\r\nouter\r\n--b--",
            "Content-Type: multipart/mixed; boundary=b",
        ),
        "inner\n\nouter",
    ),
    "words before and behind the parts": (
        mail("This is MIME.\r\n--b\r\n\r\nfirst\r\n--b--\r\nThe end.", "Content-Type: multipart/mixed; boundary=b"),
        "first",
    ),
    "an empty multipart": (mail("", "Content-Type: multipart/mixed; boundary=b"), ""),
    "a multipart in base64": (
        mail(
            "--b\r\n\r\nfirst\r\n--b--",
            "Content-Type: multipart/mixed; boundary=b",
            "Content-Transfer-Encoding: base64",
        ),
        "first",
    ),
    # HTML.
    "a charset in the page alone": (
        mail('<meta charset="gbk"><p>坏了，请尽快处理</p>'.encode("gbk"), "Content-Type: text/html"),
        "坏了，请尽快处理",
    ),
    "Outlook's conditional comments": (
        mail("<!--[if mso]><p>no</p><![endif]--><p>yes</p>", "Content-Type: text/html"),
        "yes",
    ),
    "a table": (
        mail("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "Content-Type: text/html"),
        "a b\nc",
    ),
    "entities that end nowhere": (
        mail("<p>a &amp b &#x4e2d; &#0; &nosuch; c</p>", "Content-Type: text/html"),
        "a & b 中 � &nosuch; c",
    ),
    "pictures alone": (mail('<img src="https://x.example/a.png" alt="坏了">', "Content-Type: text/html"), "[坏了]"),
    "a page in a page": (
        mail("<html><body><html><body><p>x</p></body></html></body></html>", "Content-Type: text/html"),
        "x",
    ),
    # What comes along.
    "a signed mail": (
        of_parts(
            "signed", text("It is broken."), file(b"0", "Content-Type: application/pkcs7-signature; name=smime.p7s")
        ),
        "It is broken.",
    ),
    "an encrypted mail": (
        mail("MIIB", "Content-Type: application/pkcs7-mime; name=smime.p7m", "Content-Transfer-Encoding: base64"),
        "",
    ),
    "TNEF alone": (mail("eJ8+Ig==", "Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64"), ""),
    "an invitation with words": (
        of_parts("alternative", text("Come."), part("BEGIN:VCALENDAR", "Content-Type: text/calendar; method=REQUEST")),
        "Come.",
    ),
    "a text that is attached": (
        of_parts("mixed", text("See it."), part("log", "Content-Type: text/plain", "Content-Disposition: attachment")),
        "See it.",
    ),
    "a text with a name": (
        of_parts("mixed", text("See it."), part("log", "Content-Type: text/plain; name=a.log")),
        "See it.",
    ),
    "a mail of 5,000 recipients": (mail("x", to="To: " + ", ".join(f"u{n}@shop.example" for n in range(5_000))), "x"),
    "parts that are related": (
        of_parts("related", html('<p>x<img src="cid:1"></p>'), file(b"GIF89a", "Content-Type: image/gif")),
        "x",
    ),
    "alternatives in alternatives": (
        of_parts("alternative", part(*reversed(multipart("alternative", text("A."), html("<p>B.</p>"), boundary="c")))),
        "A.",
    ),
}


@pytest.mark.parametrize(("raw", "told"), WORDS.values(), ids=WORDS.keys())
def test_a_nasty_mail_says_what_it_says(raw, told):
    assert read(raw).text == told
