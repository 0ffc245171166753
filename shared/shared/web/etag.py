"""Versions of aggregates on the wire (RFC 9110): `ETag` on the answer, `If-Match` on the change.

@router.patch("/v1/cases/{case_id}")
async def change(..., expected: IfMatch = None): ...
    if_match(expected, case.version)          # in the use case, after the row was locked
"""

from typing import Annotated

from fastapi import Header

from shared.web.errors import PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag of the version that you mean to change", examples=['"3"']),
]


def etag(version: int | str) -> str:
    """The strong validator of a version: ``etag(3)`` is ``"3"`` with its quotes."""
    return f'"{version}"'


def if_match(header: str | None, version: int | str, *, required: bool = False) -> None:
    """Raise `PreconditionFailed` (412) unless the header names `version`, or is missing, or is ``*``.

    With `required`, a missing header is `PreconditionRequired` (428). Weak validators never match (RFC 9110 §13.1.1).
    """
    if header is None:
        if required:
            raise PreconditionRequired("Send If-Match with the ETag of the version that you read.")
        return
    wanted = [part.strip() for part in header.split(",")]
    if "*" in wanted or etag(version) in wanted:
        return
    raise PreconditionFailed(
        "Read it again, look at what has changed, and send your change with the new ETag.",
        headers={"ETag": etag(version)},
    )
