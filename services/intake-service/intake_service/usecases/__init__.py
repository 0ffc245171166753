"""One function per action; the only place that opens a transaction."""

from intake_service.usecases.access import issue_key, key_lookup, list_keys, revoke_key
from intake_service.usecases.attachments import keep_file, keep_tidy
from intake_service.usecases.callbacks import hear_wecom, receive_dingtalk, verify_wecom
from intake_service.usecases.calls import dismiss_call, hear_call, list_calls
from intake_service.usecases.channels import disable_channel, list_channels, list_kinds, put_channel, show_channel
from intake_service.usecases.chatdesk import (
    end_chat,
    enter,
    hand_over,
    join_chat,
    keep_chats_told,
    leave,
    list_chats,
    show_chat,
    typing,
)
from intake_service.usecases.chats import Guest, Party, guest_of, keep_visitors_file, news, open_chat, read_chat, say
from intake_service.usecases.conversation import add_message, add_note, link_complaints
from intake_service.usecases.deps import Deps, make_deps
from intake_service.usecases.doors import receive_feedback, receive_posts
from intake_service.usecases.mails import mailbox_of, receive_mail
from intake_service.usecases.messages import list_noted, receive_message, show_html, show_receipt
from intake_service.usecases.outcomes import learn_of_moves, learn_of_results
from intake_service.usecases.papers import receive_paper
from intake_service.usecases.privacy import erase, list_accesses, look_up, show_contacts
from intake_service.usecases.pulling import Puller
from intake_service.usecases.quarantine import list_quarantine, list_quarantine_accesses, retry, show_quarantined
from intake_service.usecases.reading import (
    list_complaints,
    list_messages,
    list_notes,
    show_complainant,
    show_complaint,
)
from intake_service.usecases.receive import receive_complaint
from intake_service.usecases.reconciliation import measure_regularly, reconcile
from intake_service.usecases.scanning import keep_scanning
from intake_service.usecases.seeding import ChannelsFileError, seed_channels
from intake_service.usecases.spam import clear_of_spam
from intake_service.usecases.webform import keep_upload, kept_uploads, receive_form, show_progress

__all__ = [
    "ChannelsFileError",
    "Deps",
    "Guest",
    "Party",
    "Puller",
    "add_message",
    "add_note",
    "clear_of_spam",
    "disable_channel",
    "dismiss_call",
    "end_chat",
    "enter",
    "erase",
    "guest_of",
    "hand_over",
    "hear_call",
    "hear_wecom",
    "issue_key",
    "join_chat",
    "keep_chats_told",
    "keep_file",
    "keep_scanning",
    "keep_tidy",
    "keep_upload",
    "keep_visitors_file",
    "kept_uploads",
    "key_lookup",
    "learn_of_moves",
    "learn_of_results",
    "leave",
    "link_complaints",
    "list_accesses",
    "list_calls",
    "list_channels",
    "list_chats",
    "list_complaints",
    "list_keys",
    "list_kinds",
    "list_messages",
    "list_noted",
    "list_notes",
    "list_quarantine",
    "list_quarantine_accesses",
    "look_up",
    "mailbox_of",
    "make_deps",
    "measure_regularly",
    "news",
    "open_chat",
    "put_channel",
    "read_chat",
    "receive_complaint",
    "receive_dingtalk",
    "receive_feedback",
    "receive_form",
    "receive_mail",
    "receive_message",
    "receive_paper",
    "receive_posts",
    "reconcile",
    "retry",
    "revoke_key",
    "say",
    "seed_channels",
    "show_channel",
    "show_chat",
    "show_complainant",
    "show_complaint",
    "show_contacts",
    "show_html",
    "show_progress",
    "show_quarantined",
    "show_receipt",
    "typing",
    "verify_wecom",
]
