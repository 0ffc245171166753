"""What the load process is to do."""

from dataclasses import dataclass
from typing import Literal

What = Literal["complaints", "messages", "mails"]

#: To whom mails are sent.
MAILBOX = "help@shop.example"


@dataclass(frozen=True)
class Job:
    """`seconds` from the end of the warm-up, or `count` complaints; `rate` per second, or as fast as answers come.
    Mails go to `port` by SMTP, complaints and messages by HTTP."""

    port: int
    token: str
    out: str
    connections: int
    first_serial: int
    warm_seconds: float = 0.0
    seconds: float = 3600.0
    count: int = 10_000_000
    rate: float | None = None
    #: What stands before `/v1/…`.
    path: str = ""
    what: What = "complaints"
