"""The door for mails (RFC 5321, LMTP: RFC 2033). A mail is answered with 250 after the commit that holds it."""

import asyncio
import ssl
from typing import Any

import structlog

from intake_service import usecases
from intake_service.channels.email.reading import Loops
from intake_service.domain.channels import ChannelSpec
from intake_service.settings import Settings
from intake_service.smtp.limits import Limits, limited
from intake_service.usecases import Deps
from shared.telemetry.logs import describe

log = structlog.get_logger()

_UNSURE = "451 4.3.0 It is not sure that the mail was kept; send it again"


async def serve_mails(deps: Deps) -> None:
    """Until it is cancelled. Does nothing where no port is set."""
    settings = deps.settings
    if settings.smtp_port is None:
        await asyncio.Event().wait()
        return
    async with await open_door(deps) as server:
        log.info("mails are taken", port=server.sockets[0].getsockname()[1], lmtp=settings.smtp_lmtp)
        await server.serve_forever()


async def open_door(deps: Deps) -> asyncio.Server:
    from aiosmtpd.lmtp import LMTP
    from aiosmtpd.smtp import SMTP

    settings, door = deps.settings, Door(deps)
    protocol = limited(LMTP if settings.smtp_lmtp else SMTP, Limits(settings))

    def connected() -> Any:
        return protocol(
            door,
            data_size_limit=settings.smtp_max_bytes,
            enable_SMTPUTF8=True,
            decode_data=False,
            hostname="redress",
            ident="Redress",
            tls_context=_tls(settings),
            require_starttls=settings.smtp_require_tls,
        )

    return await asyncio.get_running_loop().create_server(
        connected, settings.smtp_host, settings.smtp_port, reuse_port=True
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.smtp_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.smtp_certificate, settings.smtp_key)
    return context


class Door:
    """What the protocol asks, and its answers. Knows nothing of a connection beside what the protocol hands over."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.loops = Loops()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        try:
            spec = await usecases.mailbox_of(address, self.deps)
        except Exception as error:  # the database is away: nobody knows
            log.warning("recipient not looked up", exception=describe(error))
            return "451 4.3.0 Try again later"
        if spec is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        told: dict[str, str] = {}
        answers: list[str] = []
        for address in envelope.rcpt_tos:
            channel = await usecases.mailbox_of(address, self.deps)
            if channel is None:
                answers.append(_UNSURE)
                continue
            if channel.channel_id not in told:
                told[channel.channel_id] = await self._deliver(envelope, channel)
            answers.append(told[channel.channel_id])
        if self.deps.settings.smtp_lmtp:
            return "\r\n".join(answers)
        return next((answer for answer in answers if not answer.startswith("250")), answers[0])

    async def handle_exception(self, error: Exception) -> str:
        """The protocol's own answer would be final, and the mail lost."""
        log.warning("mail not kept", exception=describe(error))
        return _UNSURE

    async def _deliver(self, envelope: Any, channel: ChannelSpec) -> str:
        try:
            receipt = await usecases.receive_mail(
                channel, envelope.content, envelope.mail_from or "", envelope.rcpt_tos, self.loops, self.deps
            )
        except Exception as error:  # whatever it is, the mail is with its sender still
            log.warning("mail not kept", channel=channel.channel_id, exception=describe(error))
            return _UNSURE
        return f"250 2.0.0 {receipt.id} {receipt.status}"


__all__ = ["Door", "open_door", "serve_mails"]
