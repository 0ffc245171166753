"""The public log of 24,918 ServiceNow incidents, told as histories of complaints.

Every update of an incident becomes the events that it would be here: the receipt, another priority, another group or
person, a first word, waiting for the user, waiting for somebody else (a transfer), resolved, reopened, closed.
"""

from itertools import groupby

from shared.contracts.vocabulary import CaseState, Channel, Urgency
from tests.support.public_data import rows_of
from tests.unit.sla.history import Story

_URGENCIES = {"1": Urgency.HIGH, "2": Urgency.HIGH, "3": Urgency.MEDIUM, "4": Urgency.LOW}
_ELSEWHERE = ("Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence")
Row = dict[str, str]


def incidents() -> list[list[Row]]:
    """The updates of each incident, in order."""
    return [list(updates) for _, updates in groupby(rows_of("uci_incident_events"), key=lambda row: row["number"])]


def story_of(updates: list[Row]) -> Story:
    first = updates[0]
    story = Story(
        f"incident {first['number']}",
        received=first["opened_at"],
        urgency=_URGENCIES[first["priority"]],
        channel=Channel.EMAIL if first["contact_type"] == "Email" else Channel.HOTLINE,
    )
    story.received()
    _Incident(story).tell(updates)
    return story


class _Incident:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.moves = self.assignments = self.tasks = 0
        self.cycle, self.reopened = 1, 0
        self.state, self.held = "New", ("", "")
        self.answered = False

    def tell(self, updates: list[Row]) -> None:
        for row in updates:
            when = row["sys_updated_at"]
            if _URGENCIES[row["priority"]] is not self.story.facts.urgency:
                self.story.classified(when, _URGENCIES[row["priority"]], self.story.facts.urgency_revision + 1)
            if (held := (row["assignment_group"], row["assigned_to"])) != self.held:
                self.assignments += 1
                self.story.assigned(when, held[0] or "none", held[1] or None, self.assignments)
                self.held = held
            for _ in range(int(row["reopen_count"]) - self.reopened):
                self.cycle += 1
                self._move(when, CaseState.REOPENED)
            self.reopened = max(self.reopened, int(row["reopen_count"]))
            if row["incident_state"] != self.state:
                self._enter(when, row["incident_state"], row)

    def _enter(self, when: str, state: str, row: Row) -> None:
        before, self.state = self.state, state
        if not self.answered:
            self.answered = True
            self.story.wrote(when, inbound=False)
        if before in _ELSEWHERE:
            self.story.transfer_answered(when, task=f"task{self.tasks}")
        if before == "Awaiting User Info":
            self._move(when, CaseState.IN_PROGRESS, leaving=CaseState.WAITING_CUSTOMER)
        if state == "Awaiting User Info":
            self._move(when, CaseState.WAITING_CUSTOMER)
        elif state in _ELSEWHERE:
            self.tasks += 1
            self.story.transfer(when, task=f"task{self.tasks}")
        elif state == "Resolved":
            self.story.resolved(when, self.cycle)
        elif state == "Closed":
            self._move(row["closed_at"], CaseState.CLOSED)

    def _move(self, when: str, to: CaseState, leaving: CaseState | None = None) -> None:
        self.moves += 1
        self.story.moved(when, to, self.moves, self.cycle, leaving)
