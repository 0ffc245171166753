"""Rules of the feedback stage (D1-D4): surveys, follow-up visits, dissatisfaction, closing. Pure.

`cycle` is the case's cycle: 1 for the first resolution, one more after every reopening. There is one survey, one
visit and one closing summary per complaint and cycle, each with an id that follows from them.
"""

from feedback_service.domain.closing import (
    Standing,
    close,
)
from feedback_service.domain.errors import (
    AnswerIncomplete,
    CaseAlreadyClosed,
    CaseNotResolved,
    ClosingNeedsReason,
    FollowUpNotFound,
    FollowUpNotOpen,
    FollowUpTooEarly,
    SurveyAnswered,
    SurveyExpired,
    SurveyNotFound,
)
from feedback_service.domain.periods import (
    Periods,
)
from feedback_service.domain.surveys import (
    LEVELS,
    QUESTIONS,
    REASONS,
    Answer,
    dissatisfied_by_survey,
    read_answer,
    survey_answered,
    survey_id_of,
    survey_of_token,
    survey_offered,
    token_of,
)
from feedback_service.domain.visits import (
    dissatisfied_by_visit,
    follow_up_assigned,
    follow_up_done,
    follow_up_planned,
    means_of_visit,
    visit_id_of,
)

__all__ = [
    "LEVELS",
    "QUESTIONS",
    "REASONS",
    "Answer",
    "AnswerIncomplete",
    "CaseAlreadyClosed",
    "CaseNotResolved",
    "ClosingNeedsReason",
    "FollowUpNotFound",
    "FollowUpNotOpen",
    "FollowUpTooEarly",
    "Periods",
    "Standing",
    "SurveyAnswered",
    "SurveyExpired",
    "SurveyNotFound",
    "close",
    "dissatisfied_by_survey",
    "dissatisfied_by_visit",
    "follow_up_assigned",
    "follow_up_done",
    "follow_up_planned",
    "means_of_visit",
    "read_answer",
    "survey_answered",
    "survey_id_of",
    "survey_of_token",
    "survey_offered",
    "token_of",
    "visit_id_of",
]
