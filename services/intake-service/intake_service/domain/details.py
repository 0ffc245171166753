"""What a channel knows of a message beside what it says: who checked it, what came along, what it reports."""

from typing import Annotated

from pydantic import Field, StringConstraints

from intake_service.domain.record import Part
from intake_service.domain.text import Identifier, OptionalLine, Wording

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
MAX_CHECKS = 20
MAX_NOTES = 40
MAX_ABOUT = 20
MAX_HTML = 100_000


class Check(Part):
    """What a server on the way found. Anybody can write such fields, so only those of one's own server prove anything:
    look at `server`."""

    method: Annotated[Word, Field(examples=["dkim"])]
    result: Annotated[Word, Field(examples=["pass"])]
    domain: Annotated[OptionalLine, Field(description="Whose signature or sending was checked.")] = ""
    server: Annotated[OptionalLine, Field(description="Who says so; empty where it is not told.")] = ""
    field: Annotated[OptionalLine, Field(description="Where it stood.")] = ""


class DeliveryReport(Part):
    """What a report of a mail server says (RFC 3464), and of which messages."""

    action: OptionalLine = ""
    status: OptionalLine = ""
    about: Annotated[tuple[Identifier, ...], Field(max_length=MAX_ABOUT)] = ()


class Details(Part):
    """`notes` tell what is in the message that is not shown (`tnef`, `calendar`, `smime`), and what was cut."""

    checks: Annotated[tuple[Check, ...], Field(max_length=MAX_CHECKS)] = ()
    notes: Annotated[tuple[Word, ...], Field(max_length=MAX_NOTES)] = ()
    report: DeliveryReport | None = None
    html: Annotated[
        Wording, Field(description="As its writer laid it out; it is made harmless before it is shown.")
    ] = ""
