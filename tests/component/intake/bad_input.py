"""What is sent to the doors on a bad day, and what may become of it."""

import copy
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx

TEN_MB = 10 * 2**20

#: By what a door knows a delivery again.
IDS = ("call-20240510-0001", "m-1@mail.example", "d-1", "fb-20240510-7f3a", "HZ-2024-000317", "said-1")


def written(body: Any, number: int | str) -> bytes:
    """The body under an id that no other delivery has."""
    text = json.dumps(body)
    for each in IDS:
        text = text.replace(f'"{each}"', f'"{each}-{number}"')
    return text.encode()


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "10,000 lists": b"[" * 10_000 + b"]" * 10_000,
    "10,000 lists that do not end": b"[" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "no UTF-8": b'{"text": "\xff\xfe"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "a number of 5,000 digits": b"9" * 5_000,
    "a number without end": b"1e999999",
    "NaN": b"NaN",
    "null": b"null",
    "half a surrogate": rb'"\ud800"',
    "HTML": b"<html><script>alert(1)</script></html>",
    "XML with an entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "10 MB of text in some kilobytes": gzip.compress(bytes(TEN_MB)),
    "10 MB of text": b'"' + b"x" * TEN_MB + b'"',
}

#: What stands where something else belongs.
WRONG: tuple[Any, ...] = (
    None,
    True,
    10**400,
    2**63,
    -1.5e300,
    "",
    "\x00",
    "\x07 bell",
    "\ud800",
    "\u202etxt.exe",
    "x" * 20_000,
    "9999-12-31T23:59:59.999999-14:00",
    "0001-01-01T00:00:00+14:00",
    "2030-01-01T00:00:00+23:59",
    "Mars/Olympus",
    "<script>alert(1)</script>",
    [],
    {},
    [[[[1]]]],
    json.loads('{"a":' * 500 + "1" + "}" * 500),
)


def spoiled(good: Any, share: int = 5) -> Iterator[tuple[str, Any]]:
    """(what is wrong with it, the body) for each place of a body. Each place is told a part of what is wrong, so that
    a door is asked a hundred times."""
    for number, path in enumerate(_places(good)):
        for wrong in WRONG[number % share :: share]:
            body = copy.deepcopy(good)
            part = body
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = wrong
            yield f"{number}-{WRONG.index(wrong)}", body


def _places(good: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all that a body says, parts before what they hold."""
    if path:
        yield path
    if isinstance(good, dict | list):
        for key in good if isinstance(good, dict) else range(len(good)):
            yield from _places(good[key], (*path, key))


def refused_or_kept(answer: httpx.Response) -> None:
    """A problem that says what is wrong, or something that was taken or put aside."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["detail"]
        assert len(answer.content) < 20_000


def bomb() -> bytes:
    """A file of some kilobytes that holds 50 MB."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w") as inside,
    ):
        for _ in range(50):
            inside.write(bytes(2**20))
    return made.getvalue()
