"""Plain text of mails: format=flowed undone, what is quoted told apart. Linear in the length of the text."""

import re
from collections.abc import Sequence

#: Lines by which programs introduce the mail that is answered. One line each, no nested repetition.
_WROTE_ON = re.compile(r"(?:On|Am|Le|El|在|于).{4,250}(?:wrote|schrieb.{0,100}|a écrit|escribió|写道|寫道)\s*[:：]\s*")
_WROTE = re.compile(_WROTE_ON.pattern + r"|.{2,200}(?:写道|寫道|wrote)\s*[:：]\s*")
_SEPARATOR = re.compile(
    r"[-_]{3,}\s*(?:Original Message|Original|原始邮件|原邮件|回复的原邮件|原始郵件|原始信件|Ursprüngliche Nachricht)"
    r"\s*[-_]{3,}\s*",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"[*\s]*(?:From|Sent|To|Cc|Subject|Date|发件人|发送时间|发送日期|日期|时间|收件人|抄送|主题|寄件者|寄件日期|收件者|副本|主旨)"
    r"\s{0,4}[*]?[:：].{0,400}"
)
_FIRST_FIELD = re.compile(r"[*\s]*(?:From|发件人|寄件者)\s{0,4}[*]?[:：].{0,400}")
_FORWARD = re.compile(r"\s*(?:fwd?|wg|转发|轉寄|转寄)\s*[:：]", re.IGNORECASE)


def unflowed(text: str, *, delsp: bool = False) -> str:
    """RFC 3676: lines that end with a blank flow into the next one of the same depth."""
    told: list[str] = []
    depth_before, flows = 0, False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        if flows and depth == depth_before and line.rstrip() != "--":
            told[-1] += content
        else:
            told.append(f"{'>' * depth} {content}" if depth else content)
        flows = content.endswith(" ") and content != "-- "
        if flows and delsp:
            told[-1] = told[-1].removesuffix(" ")
        depth_before = depth
    return "\n".join(told)


def is_forward(subject: str) -> bool:
    return _FORWARD.match(subject) is not None


def without_quotes(text: str) -> tuple[str, str]:
    """What was written, and the mail below it that it answers. Answers between quoted lines leave the text whole, and
    so does a text that would be empty without its quotes."""
    lines = text.split("\n")
    cut = _cut(lines)
    written = "\n".join(lines[:cut]).strip()
    if cut == len(lines) or not written:
        return text.strip(), ""
    return written, "\n".join(lines[cut:]).strip()


def _cut(lines: Sequence[str]) -> int:
    """The line at which the quoted mail begins."""
    quoted_to_the_end = len(lines)
    while quoted_to_the_end and (not lines[quoted_to_the_end - 1].strip() or lines[quoted_to_the_end - 1][:1] == ">"):
        quoted_to_the_end -= 1
    last_mark = max((place for place, line in enumerate(lines) if line[:1] == ">"), default=-1)
    for place, line in enumerate(lines):
        if _WROTE.fullmatch(line[:600]) and (
            (place + 1 >= quoted_to_the_end and last_mark > place) or ("@" in line and last_mark < place)
        ):
            broken = place > 0 and _WROTE_ON.fullmatch(f"{lines[place - 1]} {line}"[:600]) is not None
            return place - 1 if broken and not _WROTE_ON.fullmatch(line[:600]) else place
        if _SEPARATOR.fullmatch(line[:200]):
            return place
        if _FIRST_FIELD.fullmatch(line[:450]) and _is_header_block(lines[place : place + 8]):
            return place
    return quoted_to_the_end if last_mark >= quoted_to_the_end else len(lines)


def _is_header_block(lines: Sequence[str]) -> bool:
    return sum(_FIELD.fullmatch(line[:450]) is not None for line in lines) >= 3
