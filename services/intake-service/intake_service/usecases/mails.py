"""Mails that are delivered to us by SMTP or LMTP."""

import asyncio
from collections.abc import Sequence

from intake_service.channels.email.reading import Loops, SmtpSettings, arrival
from intake_service.domain.channels import ChannelSpec
from intake_service.domain.views import DeliveryReceipt
from intake_service.usecases.channels import current
from intake_service.usecases.deps import Deps
from intake_service.usecases.handing import hand_over
from shared.replies import without_token

#: Above so many bytes a mail is read beside the event loop.
_LARGE = 256 * 1024


async def mailbox_of(address: str, deps: Deps) -> ChannelSpec | None:
    """The enabled channel that accepts mail for the address, with or without a token; None where nobody does."""
    wanted = without_token(address).lower()
    for kept in (await current(deps)).values():
        spec = kept.spec
        if spec.enabled and spec.kind == "smtp" and wanted in map(str.lower, spec.settings["addresses"]):
            return spec
    return None


async def receive_mail(
    spec: ChannelSpec, raw: bytes, sender: str, recipients: Sequence[str], loops: Loops, deps: Deps
) -> DeliveryReceipt:
    """The receipt, after the commit. Raises what `hand_over` raises: nothing is sure then."""

    settings = SmtpSettings.model_validate(spec.settings, strict=False)
    now = deps.clock.now()
    if len(raw) > _LARGE:
        read = await asyncio.to_thread(
            arrival, spec, settings, raw, now, envelope_sender=sender, delivered_to=recipients, loops=loops
        )
    else:
        read = arrival(spec, settings, raw, now, envelope_sender=sender, delivered_to=recipients, loops=loops)
    return await hand_over(spec, read, deps)
