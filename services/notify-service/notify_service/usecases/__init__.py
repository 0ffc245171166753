"""What notify-service does, one function per action."""

from notify_service.usecases import errors
from notify_service.usecases.deliver import Shipment, claim, deliver, ship
from notify_service.usecases.deps import Deps
from notify_service.usecases.hear import forget_people, learn_contacts, learn_teams, tell
from notify_service.usecases.look import get_message, list_messages, list_notices, try_again
from notify_service.usecases.preferences import get_preference, put_preference
from notify_service.usecases.templates import (
    TemplateState,
    delete_template,
    get_template,
    list_templates,
    preview_template,
    put_template,
)
from notify_service.usecases.worker import Worker

__all__ = [
    "Deps",
    "Shipment",
    "TemplateState",
    "Worker",
    "claim",
    "delete_template",
    "deliver",
    "errors",
    "forget_people",
    "get_message",
    "get_preference",
    "get_template",
    "learn_contacts",
    "learn_teams",
    "list_messages",
    "list_notices",
    "list_templates",
    "preview_template",
    "put_preference",
    "put_template",
    "ship",
    "tell",
    "try_again",
]
