"""What becomes of mails that break their reader, or that a server dates as no clock does: nothing stops for them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from intake_service.channels.email import reading
from intake_service.channels.email.imap import when
from intake_service.channels.email.reading import SmtpSettings, arrival
from intake_service.domain.channels import ChannelSpec, Unreadable
from shared.contracts.vocabulary import Channel
from tests.support.mails import mail

AT = datetime(2024, 5, 10, 2, 20, tzinfo=UTC)
SPEC = ChannelSpec.model_validate(
    {
        "channel_id": "help",
        "kind": "smtp",
        "channel": Channel.EMAIL,
        "account": "help@shop.example",
        "title": {"zh": "邮箱", "en": "Mail"},
        "owner_team": "mail-team",
        "settings": {},
        "secrets": {},
    }
)


@pytest.mark.parametrize("error", [ValueError("?"), RecursionError(), OverflowError(), UnicodeError(), KeyError("x")])
def test_a_mail_that_breaks_its_reader_is_put_aside_with_its_bytes(monkeypatch, error):
    def broken(*_):
        raise error

    monkeypatch.setattr(reading, "read", broken)
    found = arrival(SPEC, SmtpSettings(addresses=("help@shop.example",)), mail(), AT)
    assert isinstance(found.message, Unreadable)
    assert (found.raw, found.message.message_id, found.files) == (mail(), None, ())


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (datetime(2024, 5, 10, 10, 20, tzinfo=timezone(timedelta(hours=8))), AT),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))), None),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), None),
        (datetime(1969, 12, 31, tzinfo=UTC), None),
        (datetime(2300, 1, 1, tzinfo=UTC), None),
        (None, None),
        (b"99-Jun-2024", None),
    ],
)
def test_an_instant_that_is_none_of_our_time_is_nobodys(told, kept):
    assert when(told) == kept
