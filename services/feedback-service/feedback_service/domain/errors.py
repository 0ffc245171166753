"""What feedback-service refuses, and why."""

from shared.web.errors import Conflict, Gone, Invalid, NotFound


class SurveyNotFound(NotFound):
    slug = "survey-not-found"
    title = "There is no such survey"


class SurveyExpired(Gone):
    slug = "survey-expired"
    title = "The survey has expired"


class SurveyAnswered(Conflict):
    slug = "survey-answered"
    title = "The survey has been answered"


class AnswerIncomplete(Invalid):
    slug = "answer-incomplete"
    title = "The answer is not complete"


class FollowUpNotFound(NotFound):
    slug = "follow-up-not-found"
    title = "There is no such follow-up visit"


class FollowUpNotOpen(Conflict):
    slug = "follow-up-not-open"
    title = "The follow-up visit is not open"


class FollowUpTooEarly(Conflict):
    slug = "follow-up-too-early"
    title = "The follow-up visit is not due yet"


class CaseNotResolved(Conflict):
    slug = "case-not-resolved"
    title = "The case is not resolved"


class CaseAlreadyClosed(Conflict):
    slug = "case-already-closed"
    title = "The closing summary of this cycle is written"


class ClosingNeedsReason(Conflict):
    slug = "closing-needs-reason"
    title = "The case cannot close like this"
