"""What intake refuses, and what to do about it."""

from shared.web.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Problem, TooLarge, Unauthorized, Unavailable


class ImpossibleRecord(Invalid):
    slug = "impossible-record"
    title = "Some values of the record cannot be true"


class NotYourChannel(Forbidden):
    slug = "not-your-channel"
    title = "This key is bound to another channel or account"


class ReceptionBusy(Unavailable):
    slug = "reception-busy"
    title = "Too many complaints are coming in at once"


class NoSuchComplaint(NotFound):
    slug = "no-such-complaint"
    title = "There is no such complaint"


class NoSuchComplainant(NotFound):
    slug = "no-such-complainant"
    title = "There is no such complainant"


class NoSuchKey(NotFound):
    slug = "no-such-adapter-key"
    title = "There is no such adapter key"


class BadLink(Conflict):
    slug = "bad-link"
    title = "These complaints cannot be linked so"


class DeliveryElsewhere(Conflict):
    slug = "delivery-elsewhere"
    title = "This delivery belongs to another complaint"


class Erased(Conflict):
    slug = "complainant-erased"
    title = "The complainant of this complaint was erased"


class MessageKeyReused(Invalid):
    slug = "message-key-reused"
    title = "This message id belongs to another message"


class NoSuchReceipt(NotFound):
    slug = "no-such-receipt"
    title = "There is no such receipt"


class NotInQuarantine(Conflict):
    slug = "not-in-quarantine"
    title = "The message is not in quarantine any more"


class NotSuspected(Conflict):
    slug = "not-suspected"
    title = "The complaint is not suspected to be spam"


class AnotherMessage(Invalid):
    slug = "another-message"
    title = "A corrected message keeps its channel, account and message id"


class NothingToRetry(Conflict):
    slug = "nothing-to-retry"
    title = "No envelope of it can be read; send a corrected message"


class BadChannel(Invalid):
    slug = "bad-channel"
    title = "The channel breaks a rule of its kind"


class ChannelIsAnother(Conflict):
    slug = "channel-is-another"
    title = "A channel keeps its kind, channel and account"


class NoSuchChannel(NotFound):
    slug = "no-such-channel"
    title = "There is no such channel"


class NoSuchCall(NotFound):
    slug = "no-such-call"
    title = "There is no such call"


class CallHasRecord(Conflict):
    slug = "call-has-record"
    title = "The call has its record"


class BadPage(Invalid):
    slug = "bad-page"
    title = "A page is no picture or PDF, or too large"


class FormNumberTaken(Conflict):
    slug = "form-number-taken"
    title = "Another paper has this form number"


class UnknownAttachment(Invalid):
    slug = "unknown-attachment"
    title = "No upload has this id or SHA-256"


class AttachmentTooLarge(TooLarge):
    slug = "attachment-too-large"
    title = "The file is too large"


class NoSuchAttachment(NotFound):
    slug = "no-such-attachment"
    title = "There is no such attachment"


class AttachmentInfected(Forbidden):
    slug = "attachment-infected"
    title = "The virus scanner found something in this file"


class AttachmentNotScanned(Conflict):
    slug = "attachment-not-scanned"
    title = "The virus scanner has not passed this file"


class RangeNotSatisfiable(Problem):
    slug = "range-not-satisfiable"
    status = 416
    title = "The file has no such bytes"


class LinkExpired(Gone):
    slug = "link-expired"
    title = "The link has expired"


class StoreAway(Unavailable):
    slug = "attachment-store-away"
    title = "Files can neither be kept nor read just now"


class BadVisitorIdentity(Forbidden):
    slug = "bad-visitor-identity"
    title = "The visitor's signed identity is not good"


class BadChatToken(Unauthorized):
    slug = "bad-chat-token"
    title = "The token is not good for this chat"


class NoSuchChat(NotFound):
    slug = "no-such-chat"
    title = "There is no such chat"


class NothingSaidYet(Conflict):
    slug = "nothing-said-yet"
    title = "The visitor has said nothing yet"


class ChatEnded(Conflict):
    slug = "chat-ended"
    title = "The chat has ended"


class ChatTaken(Conflict):
    slug = "chat-taken"
    title = "The chat is somebody else's"


class NotYourChat(Conflict):
    slug = "not-your-chat"
    title = "You are not in charge of the chat"


RECEIVING: tuple[type[Problem], ...] = (ImpossibleRecord, NotYourChannel, UnknownAttachment, ReceptionBusy)


class ForgedCallback(Forbidden):
    slug = "forged-callback"
    title = "The signature is not that of the channel"


class StaleCallback(Forbidden):
    slug = "stale-callback"
    title = "It was signed too long ago, or in the future"


#: What is missing may be a secret in a place of ours: strangers at an open door are not told where.
ASK_OPERATORS = "Try again later. Its operators see what is wrong in GET /v1/channels."


class ChannelAway(Unavailable):
    slug = "channel-away"
    title = "The channel cannot be served just now"
