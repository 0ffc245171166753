"""What triage refuses, and what to do then."""

from shared.web.errors import Conflict, Invalid, NotFound


class ComplaintNotAssessed(NotFound):
    slug = "complaint-not-assessed"
    title = "Triage knows no such complaint, or has not assessed it yet"


class NotAssigned(NotFound):
    slug = "complaint-not-assigned"
    title = "The complaint is assigned to nobody"


class CaseEnded(Conflict):
    slug = "case-ended"
    title = "The case has ended"


class UnknownCode(Invalid):
    slug = "unknown-code"
    title = "The taxonomy has no such active entry"


class EntryNotAllowed(Invalid):
    slug = "entry-not-allowed"
    title = "The taxonomy cannot have this entry"


class UnknownTeam(Invalid):
    slug = "unknown-team"
    title = "The roster has no such team"


class UnknownAgent(Invalid):
    slug = "unknown-agent"
    title = "The roster has no such agent in that team"
