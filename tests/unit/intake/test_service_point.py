"""A paper form as the record of a complaint."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from intake_service.channels.service_point import EXAMPLE, Paper, is_page
from intake_service.domain.record import NewComplaint
from tests.support.signing import written
from tests.unit.intake.test_wecom_messages import ANY_JSON


def test_the_form_number_is_the_natural_key_and_the_pages_are_uploads():
    record = Paper.model_validate_json(written(EXAMPLE)).record("hangzhou-1")
    assert (record.channel.account, record.channel.message_id) == ("hangzhou-1", "HZ-2024-000317")
    assert [str(each.id) for each in record.attachments] == EXAMPLE["pages"]
    assert (record.symptom, record.complainant.phones) == (EXAMPLE["symptom"], ("13812341234",))


@pytest.mark.parametrize(
    ("media_type", "good"),
    [
        ("application/pdf", True),
        ("image/jpeg", True),
        ("image/tiff", True),
        ("image/svg+xml", False),
        ("text/html", False),
        ("application/zip", False),
    ],
)
def test_pages_are_pictures_and_pdf(media_type, good):
    assert is_page(media_type) == good


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*EXAMPLE, "impact", "demands"]), ANY_JSON, max_size=3))
def test_whatever_a_seat_sends_is_a_record_or_refused(changes):
    try:
        paper = Paper.model_validate_json(written({**EXAMPLE, **changes}).decode("utf-8", "replace"))
    except (ValidationError, UnicodeEncodeError):
        return
    assert isinstance(paper.record("a"), NewComplaint)
