"""What the JSON API takes and gives."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from notify_service.domain import Message, Preference, Status
from notify_service.rendering import Rendered, TemplateParts
from notify_service.usecases import Deps, TemplateState
from shared.contracts.vocabulary import Channel, Language, Means, Purpose
from shared.web.auth import Principal, Role, allow

STAFF = (Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY)
StaffDep = Annotated[Principal, Depends(allow(*STAFF))]
HandlerDep = Annotated[Principal, Depends(allow(Role.AGENT, Role.LEAD, Role.MANAGER))]
LeadDep = Annotated[Principal, Depends(allow(Role.LEAD, Role.MANAGER))]
AdminDep = Annotated[Principal, Depends(allow(Role.ADMIN))]


async def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


DepsDep = Annotated[Deps, Depends(_deps)]


def _no_control_characters(text: str) -> str:
    if any(character < " " and character not in "\r\n\t" for character in text):
        raise ValueError("control characters are not taken")
    return text


Words = Annotated[str, AfterValidator(_no_control_characters)]


class MessageOut(BaseModel):
    """`recipient` is masked (A6). Text, means and recipient are empty until the first attempt."""

    message_id: UUID
    complaint_id: UUID | None
    number: str | None = Field(examples=["C-20240510-000001"])
    purpose: Purpose
    audience: str = Field(examples=["complainant"])
    status: Status
    means: Means | None
    language: Language | None
    recipient: str = Field(examples=["138****1234"])
    subject: str
    text: str
    reference_id: UUID | None
    cycle: int | None
    attempts: int
    created_at: datetime
    due_at: datetime = Field(description="The next attempt, or the last one")
    delivered_at: datetime | None
    receipt: str = Field(description="What the next hop said when it took it")
    reason: str = Field(description="Why the last attempt failed")

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        return cls(
            message_id=message.message_id,
            complaint_id=message.facts.complaint_id if message.facts else None,
            number=message.facts.number if message.facts else None,
            purpose=message.purpose,
            audience=message.audience,
            status=message.status,
            means=message.means,
            language=message.language,
            recipient=message.recipient,
            subject=message.subject,
            text=message.text,
            reference_id=message.reference_id,
            cycle=message.cycle,
            attempts=message.attempts,
            created_at=message.created_at,
            due_at=message.due_at,
            delivered_at=message.delivered_at,
            receipt=message.receipt,
            reason=message.reason,
        )


class NoticeOut(BaseModel):
    message_id: UUID
    complaint_id: UUID | None
    number: str | None
    purpose: Purpose
    subject: str
    text: str
    delivered_at: datetime

    @classmethod
    def of(cls, message: Message) -> "NoticeOut":
        return cls(
            message_id=message.message_id,
            complaint_id=message.facts.complaint_id if message.facts else None,
            number=message.facts.number if message.facts else None,
            purpose=message.purpose,
            subject=message.subject,
            text=message.text,
            delivered_at=message.delivered_at or message.created_at,
        )


class PreferenceBody(BaseModel):
    """Left out or null: as intake knows it, else what fits (A4)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"channel": "email", "language": "en"}]})

    channel: Channel | None = None
    language: Language | None = None

    def preference(self) -> Preference:
        return Preference(self.channel, self.language)


class PreferenceOut(BaseModel):
    person_id: UUID
    channel: Channel | None
    language: Language | None
    version: int = Field(description="0 where none was set")

    @classmethod
    def of(cls, person_id: UUID, preference: Preference, version: int) -> "PreferenceOut":
        return cls(person_id=person_id, channel=preference.channel, language=preference.language, version=version)


class TemplateBody(BaseModel):
    """Jinja2 with variables, `if` and the filters e, lower, upper, trim, default, length; no loops, calls or
    arithmetic. `short` is for text messages and WeCom, `html` a fragment for mails; null makes them of the text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "subject": "{{ house }}的消息",
                    "text": "您好,\n\n我们会尽快与您联系。\n\n{{ house }}",
                    "short": "【{{ house }}】我们会尽快与您联系。",
                    "html": None,
                }
            ]
        },
    )

    subject: Words = Field(min_length=1, max_length=500)
    text: Words = Field(min_length=1, max_length=10_000)
    short: Words | None = Field(default=None, min_length=1, max_length=1_000)
    html: Words | None = Field(default=None, min_length=1, max_length=20_000)

    def parts(self) -> TemplateParts:
        return TemplateParts(self.subject, self.text, self.short, self.html)


class TemplateOut(BaseModel):
    purpose: Purpose
    language: Language
    subject: str
    text: str
    short: str | None
    html: str | None
    variables: list[str] = Field(description="What the template may use")
    version: int = Field(description="0 for the shipped template")
    changed_at: datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, state: TemplateState) -> "TemplateOut":
        return cls(
            purpose=state.purpose,
            language=state.language,
            subject=state.parts.subject,
            text=state.parts.text,
            short=state.parts.short,
            html=state.parts.html,
            variables=list(state.variables),
            version=state.version,
            changed_at=state.changed_at,
            changed_by=state.changed_by,
        )


class PreviewOut(BaseModel):
    """What would be read, with example values; `html` is the whole document."""

    subject: str
    text: str
    short: str
    html: str

    @classmethod
    def of(cls, rendered: Rendered) -> "PreviewOut":
        return cls(subject=rendered.subject, text=rendered.text, short=rendered.short, html=rendered.html)
