"""Which event is told to whom."""

from notify_service.domain import drafts_of
from shared.contracts.intake import ClearedOfSpamV1
from shared.contracts.vocabulary import Priority, Purpose
from shared.ids import new_id
from tests.support.builders import at, facts, received


def test_suspected_spam_is_acknowledged_when_it_is_cleared_and_not_before() -> None:
    of = facts()
    first = received(of)
    assert drafts_of(first.model_copy(update={"suspected_spam": True})) == []
    cleared = ClearedOfSpamV1(
        event_id=new_id(),
        occurred_at=at(1),
        recorded_at=at(1),
        actor=first.actor,
        facts=of,
        priority=Priority.IMPORTANT,
        symptom=first.symptom,
    )
    (draft,) = drafts_of(cleared)
    assert (draft.purpose, draft.audience, draft.params["symptom"]) == (
        Purpose.ACKNOWLEDGEMENT,
        "complainant",
        first.symptom,
    )
    assert [each.purpose for each in drafts_of(first)] == [Purpose.ACKNOWLEDGEMENT]
