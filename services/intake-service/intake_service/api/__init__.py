"""HTTP door: parse, one use case, shape the answer."""

from intake_service.api import attachments, channels, complainants, complaints, keys, messages, webform

ROUTERS = (
    complaints.receiving,
    messages.receiving,
    complaints.router,
    complainants.router,
    keys.router,
    channels.router,
    messages.router,
    attachments.router,
    webform.router,
)
