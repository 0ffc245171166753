"""HTTP door: parse, one use case, shape the answer."""

from intake_service.api import (
    attachments,
    callbacks,
    calls,
    channels,
    chats,
    chatsocket,
    complainants,
    complaints,
    doors,
    keys,
    messages,
    papers,
    webform,
)

ROUTERS = (
    complaints.receiving,
    messages.receiving,
    complaints.router,
    complainants.router,
    keys.router,
    channels.router,
    callbacks.router,
    doors.router,
    calls.router,
    papers.router,
    messages.router,
    attachments.router,
    webform.router,
    chats.router,
    chatsocket.router,
)
