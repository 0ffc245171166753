"""Feedback from within an app: what was written, by whom, and on which device and version (A1)."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from intake_service.channels.kind import Kind
from intake_service.channels.webhook import OPTIONAL_SECRETS, SECRET_NAMES
from intake_service.channels.wire import Label, Wire, Words, line_of, read
from intake_service.domain.channels import ChannelSpec, Incoming, Unreadable
from intake_service.domain.message import (
    MAX_ACCOUNT_ID,
    Content,
    IncomingMessage,
    MessageSource,
    Sender,
    SenderIdentity,
    SenderKind,
)
from intake_service.domain.record import MAX_ATTACHMENTS, Attachment
from intake_service.domain.text import Identifier, Instant
from shared.contracts.vocabulary import Channel, Language

EXAMPLE: dict[str, Any] = {
    "message_id": "fb-20240510-7f3a",
    "account_id": "shop-1001",
    "text": "点“提交订单”后一直转圈，已经三次了。",
    "contact": {"name": "王女士", "phone": "13812341234"},
    "app": {"version": "5.2.0", "build": "5200417"},
    "device": {"id": "a81c-77", "model": "iPhone15,2", "os": "iOS 17.4", "locale": "zh-CN"},
    "screen": "/orders/checkout",
    "attachments": [],
    "at": "2024-05-10T10:20:00+08:00",
}


class App(Wire):
    version: Label = ""
    build: Label = ""


class Device(Wire):
    id: Identifier | None = Field(None, description="An id that this app gave the device.")
    model: Label = ""
    os: Label = ""
    locale: Label = ""


class Contact(Wire):
    """Where the customer wants to be reached, as they typed it."""

    name: Label = ""
    phone: Label = ""
    email: Label = ""


class Feedback(Wire):
    """What a customer wrote in the app. Whatever the app tells beside this is kept with the raw message."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    message_id: Annotated[Identifier, Field(description="The app's id of this feedback; the same when it is resent.")]
    account_id: Annotated[Identifier, Field(max_length=MAX_ACCOUNT_ID)] | None = None
    organisation: Annotated[Identifier, Field(max_length=200)] | None = Field(None, description="Of the account.")
    text: Words = ""
    contact: Contact = Contact()
    app: App = App()
    device: Device = Device()
    screen: Label = Field("", description="Where in the app it was written.")
    attachments: Annotated[tuple[UUID, ...], Field(max_length=MAX_ATTACHMENTS)] = ()
    at: Annotated[Instant, Field(description="When it was written, by the device's clock.")]

    @property
    def scene(self) -> str:
        """App, device and screen, as agents read them."""
        app, device = self.app, self.device
        lines = (
            line_of("应用", "App", app.version, app.build),
            line_of("设备", "Device", device.model, device.os, device.locale),
            line_of("页面", "Screen", self.screen),
        )
        return "\n".join(filter(None, lines))

    @property
    def identities(self) -> tuple[SenderIdentity, ...]:
        """The account, or the device where nobody is signed in (many may use one), and the contacts."""
        found: list[SenderIdentity] = []
        if self.account_id is not None:
            found.append(SenderIdentity(kind=SenderKind.ACCOUNT, value=self.account_id, organisation=self.organisation))
        elif self.device.id is not None:
            found.append(SenderIdentity(kind=SenderKind.HANDLE, value=self.device.id))
        if self.contact.phone:
            found.append(SenderIdentity(kind=SenderKind.PHONE, value=self.contact.phone))
        if self.contact.email:
            found.append(SenderIdentity(kind=SenderKind.EMAIL, value=self.contact.email))
        return tuple(found)

    @property
    def language(self) -> Language | None:
        spoken = self.device.locale[:2].lower()
        return Language(spoken) if spoken in list(Language) else None


def incoming(spec: ChannelSpec, raw: bytes) -> Incoming:
    """One feedback, whatever it is."""
    found = read(Feedback, raw)
    if isinstance(found, Unreadable):
        return Incoming(found, raw)
    message = IncomingMessage(
        source=MessageSource(channel=Channel.IN_APP, account=spec.account, message_id=found.message_id),
        sender=Sender(identities=found.identities, name=found.contact.name),
        content=Content(text=found.text, scene=found.scene, language=found.language),
        occurred_at=found.at,
        attachments=tuple(Attachment(id=each) for each in found.attachments),
    )
    return Incoming(message, raw)


KIND = Kind("in_app", Channel.IN_APP, secret_names=SECRET_NAMES, optional_secrets=OPTIONAL_SECRETS, read=incoming)
