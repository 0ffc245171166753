"""What files are called, what they are, which of their bytes are asked for, and the links to them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_service.blobs import sniff
from intake_service.domain.files import (
    NoSuchRange,
    byte_range,
    disposition,
    link_token,
    read_link,
    safe_name,
    served_type,
    stated_name,
)

ATTACHMENT = UUID("0190d0a4-7c1c-7000-8000-000000000001")
UNTIL = datetime(2024, 5, 10, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("照片 1.jpg", "照片 1.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\cmd.exe", "cmd.exe"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\u200b\u2066b\x00c\r\nd.txt", "abcd.txt"),
        ("..", "attachment"),
        ("", "attachment"),
        (".htaccess", "htaccess"),
        ("a" * 300 + ".jpeg", "a" * 195 + ".jpeg"),
        ("\udcff.png", "png"),
    ],
)
def test_a_name_is_the_last_part_of_a_path_without_what_deceives(given_name: str, expected: str) -> None:
    assert safe_name(given_name) == expected


@given(st.text(max_size=400))
def test_a_safe_name_can_be_sent_and_read_back(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 200
    assert "/" not in safe
    assert "\\" not in safe
    header = disposition(safe)
    assert header.isascii()
    assert header.isprintable()
    assert stated_name(header, None) == safe


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ('attachment; filename="photo.jpg"', None, "photo.jpg"),
        ("attachment; filename=photo.jpg", "other.jpg", "photo.jpg"),
        ("attachment; filename=\"x\"; filename*=UTF-8''%E7%85%A7%E7%89%87.jpg", None, "照片.jpg"),
        ("attachment; filename*=GB18030''%D5%D5%C6%AC.jpg", None, "照片.jpg"),
        ("attachment; filename*=no-such-charset''x.jpg; filename=plain.jpg", None, "plain.jpg"),
        ('attachment; filename="a \\"b\\" c.txt"', None, 'a "b" c.txt'),
        ('attachment; filename="照片.jpg"'.encode().decode("latin-1"), None, "照片.jpg"),
        ("attachment", "照片.jpg", "照片.jpg"),
        (None, None, "attachment"),
    ],
)
def test_the_name_is_read_from_the_header_before_the_query(
    header: str | None, query: str | None, expected: str
) -> None:
    assert stated_name(header, query) == expected


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b"", "a.txt", "application/x-empty"),
        (PNG, "invoice.pdf", "image/png"),
        (b"%PDF-1.7\n" + b"x" * 40, "", "application/pdf"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(50), "", "image/jpeg"),
        (b" \n<!DOCTYPE html><script>", "photo.jpg", "text/html"),
        (b"\xef\xbb\xbf<svg onload='alert(1)'>", "photo.png", "image/svg+xml"),
        (b"PK\x03\x04" + bytes(60), "bomb.bin", "application/zip"),
        (
            b"PK\x03\x04" + bytes(60),
            "list.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        ("订单无法查询".encode(), "note.txt", "text/plain"),
        ("订单无法查询".encode()[:-1], "cut.txt", "text/plain"),
        (b"BMW drivers complain", "", "text/plain"),
        (bytes(range(200, 256)), "x.png", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, name: str, expected: str) -> None:
    assert sniff(head, name) == expected


@given(st.binary(max_size=300), st.text(max_size=30))
def test_every_file_has_a_media_type(head: bytes, name: str) -> None:
    kind, _, subtype = sniff(head, name).partition("/")
    assert kind
    assert subtype


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("image/png", "image/png"),
        ("application/pdf", "application/pdf"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
    ],
)
def test_what_a_browser_would_run_is_served_as_bytes(media_type: str, expected: str) -> None:
    assert served_type(media_type) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=4-99", (4, 10)),
        ("bytes=5-4", None),
        ("bytes=0-1,4-5", None),
        ("lines=0-1", None),
        ("bytes=-", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("bytes=٣-٤", None),
    ],
)
def test_a_range_of_ten_bytes(header: str | None, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)])
def test_a_range_beyond_the_end_is_told_apart(header: str, size: int) -> None:
    with pytest.raises(NoSuchRange):
        byte_range(header, size)


def test_a_link_opens_what_it_was_made_for_and_says_until_when() -> None:
    assert read_link(link_token(ATTACHMENT, UNTIL, "secret"), "secret") == (ATTACHMENT, UNTIL)


def test_a_link_of_another_secret_or_a_changed_one_opens_nothing() -> None:
    token = link_token(ATTACHMENT, UNTIL, "secret")
    assert read_link(token, "another") is None
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        # The last character carries unused bits, which are no part of what is signed.
        assert read_link(changed, "secret") is None or place == len(token) - 1


@given(st.text(max_size=80))
def test_nonsense_opens_nothing(token: str) -> None:
    assert read_link(token, "secret") is None
