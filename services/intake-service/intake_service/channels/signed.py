"""Signatures of callbacks: what they may be refused for."""

from datetime import datetime, timedelta


class Forged(Exception):
    """It does not carry the signature of who shares our secret, or was not written for us."""


class Stale(Exception):
    """It was signed too long ago, or in the future: a replay, or a clock that is wrong."""


def check_age(signed_at: datetime | None, now: datetime, most: timedelta) -> None:
    """Raises `Stale` where it was not signed within `most` of now."""
    if signed_at is None or abs(now - signed_at) > most:
        raise Stale
