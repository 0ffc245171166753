"""What a file is by its first bytes, whatever its name or its sender says. Nothing is unpacked."""

import re

UNKNOWN = "application/octet-stream"
EMPTY = "application/x-empty"
TEXT = "text/plain"

_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
#: What a browser would run stands first: better a text too many taken for a page than a page for a text.
_MARKUP = re.compile(rb"<(!doctype html|html|head|body|script|iframe|style|svg)[\s>/]", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
#: Two bytes such as `BM` begin many a text.
_SIGNATURE_IN_TEXT = 4
_ZIP = b"PK\x03\x04"


def sniff(head: bytes, name: str = "") -> str:
    """The media type. `name` decides only between kinds that begin alike, such as the many kinds of ZIP archives."""
    if not head:
        return EMPTY
    if (found := _MARKUP.match(head.lstrip(b"\xef\xbb\xbf \t\r\n"))) is not None:
        return "image/svg+xml" if found[1].lower() == b"svg" else "text/html"
    readable = _readable(head)
    return _by_signature(head, name, _SIGNATURE_IN_TEXT if readable else 2) or (TEXT if readable else UNKNOWN)


def _readable(head: bytes) -> bool:
    """UTF-8 without control characters; the last character may be cut off."""
    if _CONTROL.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(head) and len(head) - error.start < 4
    return True


def _by_signature(head: bytes, name: str, least: int) -> str | None:
    import puremagic  # reads its table of signatures when it is imported

    extension = "." + name.rpartition(".")[2].lower() if "." in name else ""
    try:
        found = puremagic.magic_string(head)
    except puremagic.PureError:
        return None
    named = [each for each in found if len(each.byte_match) >= least and _MEDIA_TYPE.fullmatch(each.mime_type)]
    if not named:
        return None
    longest = max(len(each.byte_match) for each in named)
    alike = [each for each in named if len(each.byte_match) == longest]
    by_name = next((each.mime_type for each in alike if each.extension == extension), None)
    return by_name or ("application/zip" if head.startswith(_ZIP) else str(alike[0].mime_type))
