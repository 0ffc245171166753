"""Bytes to text, whatever their label says. Never raises; the same bytes give the same text."""

import codecs
import re
import unicodedata

from charset_normalizer import from_bytes

#: What labels mean in mails: programs that say gb2312 write what only gb18030 has, and so on.
_MEANT = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "big5": "cp950",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-16": "utf-16",
}
_LABELS = {"x-gbk": "gbk", "gb_2312-80": "gb2312", "ks_c_5601-1987": "cp949", "unicode-1-1-utf-7": "utf-7"}
#: Codecs for text that people write. Python has others (`idna`, `unicode_escape`) that no label may choose.
_WRITTEN = re.compile(
    r"utf-(?:7|8|16|32)(?:-[bl]e)?|ascii|gb18030|gbk|gb2312|cp936|hz|big5|big5hkscs|cp950|shift_jis|cp932|euc_jp|"
    r"iso2022_(?:jp|kr)(?:_\w+)?|euc_kr|cp949|johab|iso8859-\d+|cp125\d|koi8-[ru]|cp866|cp437|cp850|cp874|tis-620|mac-\w+"
)
_GUESSED = ["gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1252", "cp1251", "koi8_r"]
_MOST_GUESSED = 16 * 1024
_HIGH_PAIR = re.compile(rb"[\x80-\xff][\x40-\xff]?")
_COMMON_HANZI = re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def codec_of(label: str | None) -> str | None:
    """The codec that a label means; None where it means none that text is written in."""
    if not label or len(label) > 40 or not label.isascii():
        return None
    plain = label.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(_LABELS.get(plain, plain)).name
    except (LookupError, ValueError):
        return None
    return _MEANT.get(name, name) if _WRITTEN.fullmatch(name) else None


def decode(data: bytes, label: str | None = None) -> str:
    """By a byte order mark, the label, UTF-8 or a guess, the first that fits; what nothing reads is U+FFFD."""
    labelled = codec_of(label)
    if labelled in (None, "utf-8", "gb18030", "cp1252", "cp950") and data.isascii():
        return data.decode("ascii")
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    for codec in (labelled, "utf-8"):
        if codec is not None and (exact := _strict(data, codec)) is not None:
            return exact
    # One bad byte in a long mail is no reason to doubt its label.
    if labelled is not None and (text := data.decode(labelled, "replace")).count("\ufffd") * 50 <= len(text):
        return text
    return data.decode(_guess(data) or labelled or "cp1252", "replace")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _guess(data: bytes) -> str | None:
    sample = data[:_MOST_GUESSED]
    pairs = _HIGH_PAIR.findall(sample)
    common = sum(_COMMON_HANZI.fullmatch(pair) is not None for pair in pairs)
    if common * 10 >= len(pairs) * 8:
        return "gb18030"
    best = from_bytes(sample, cp_isolation=_GUESSED, enable_fallback=False).best()
    return best.encoding if best is not None else None


def clean(text: str) -> str:
    """Without control characters and halves of characters; lines end with a linefeed."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", unix))


def clean_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without marks that turn the direction of what follows."""
    line = " ".join(_DIRECTIONS.sub("", clean(text[: limit * 4])).split())
    return unicodedata.normalize("NFC", line)[:limit].strip()
