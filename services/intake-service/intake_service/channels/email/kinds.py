"""The kinds of channels by which mails come: `smtp` is delivered to, `imap` is fetched."""

from intake_service.channels.email.imap import pull
from intake_service.channels.email.reading import ImapSettings, SmtpSettings
from intake_service.channels.kind import Kind
from shared.contracts.vocabulary import Channel

SMTP = Kind("smtp", Channel.EMAIL, SmtpSettings)
IMAP = Kind("imap", Channel.EMAIL, ImapSettings, frozenset({"password"}), pull=pull)
