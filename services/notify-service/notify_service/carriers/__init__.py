"""How messages leave the house: one port, one carrier per means."""

from notify_service.carriers.chat import Chat, CustomerService, GroupRobot, SessionWebhook, Way
from notify_service.carriers.port import Carrier, Closed, Later, Letter, Refused, Result, Sent, Tell
from notify_service.carriers.recording import Notices, Recording
from notify_service.carriers.smtp import Smtp, SmtpAccount, compose

__all__ = [
    "Carrier",
    "Chat",
    "Closed",
    "CustomerService",
    "GroupRobot",
    "Later",
    "Letter",
    "Notices",
    "Recording",
    "Refused",
    "Result",
    "Sent",
    "SessionWebhook",
    "Smtp",
    "SmtpAccount",
    "Tell",
    "Way",
    "compose",
]
