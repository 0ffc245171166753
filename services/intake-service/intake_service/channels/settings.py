"""Settings that several kinds have."""

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field


def _known(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone, such as Asia/Shanghai")
    return name


#: Scheme, host and port of a provider.
Host = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]{1,255}$", description="The provider's server.")]
#: An IANA name: the days of a conversation begin there.
Zone = Annotated[str, AfterValidator(_known), Field(max_length=100, examples=["Asia/Shanghai"])]
