"""The users' own case, told from its receipt on Friday 2024-05-10 at 10:20 to its closing on Sunday."""

from shared.contracts.vocabulary import CaseState, Purpose, Urgency
from tests.unit.sla.history import Story


def own_case(acknowledged: str = "10:27") -> Story:
    story = Story()
    story.received()
    story.classified("10:21", Urgency.MEDIUM)
    story.assigned("10:21")
    story.delivered(acknowledged, Purpose.ACKNOWLEDGEMENT)
    story.transfer("10:30")
    story.promised("11:00", due="12:00")
    story.told("11:00")
    story.transfer_answered("11:30")
    story.promise_kept("12:00")
    story.resolved("12:30")
    story.delivered("12:31", Purpose.SURVEY, cycle=1)
    story.visit("12:30")
    story.visited("05-12 12:00")
    story.moved("05-12 12:30", CaseState.CLOSED, revision=9)
    return story
