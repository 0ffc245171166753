"""The HTTP door."""

from notify_service.api import messages, preferences, templates

ROUTERS = (messages.router, preferences.router, templates.router)

__all__ = ["ROUTERS"]
