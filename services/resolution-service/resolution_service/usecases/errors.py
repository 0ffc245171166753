"""What resolution-service refuses.

Problem
├── NotFound    ├── UnknownCase  ├── UnknownTransfer  ├── UnknownPromise  ├── UnknownMeasure  └── UnknownStage
├── Forbidden   └── FourEyes
├── Conflict    ├── IllegalMove  ├── CaseNotOpen  ├── NotAnalysedAgain  ├── ApprovalPending
│               ├── TransferNotOpen  ├── PromiseNotOpen  ├── MeasureStatusForbids  └── StageTakenBack
└── Invalid     ├── ResultIncomplete  ├── UnknownTeam  ├── ReasonMissing  └── BadInstant
"""

from collections.abc import Sequence
from uuid import UUID

from resolution_service.domain import states
from resolution_service.domain.states import Cause
from shared.contracts.vocabulary import CaseState
from shared.web.errors import Conflict, FieldError, Forbidden, Invalid, NotFound


class UnknownCase(NotFound):
    slug, title = "unknown-case", "This complaint is not known here"

    @classmethod
    def by(cls, complaint_id: UUID) -> "UnknownCase":
        return cls(
            f"Nothing was heard of complaint {complaint_id} yet. Check the id; "
            "one that was received a moment ago is here as soon as its event has come."
        )


class UnknownTransfer(NotFound):
    slug, title = "unknown-transfer", "There is no such transfer task"


class UnknownPromise(NotFound):
    slug, title = "unknown-promise", "There is no such promise"


class UnknownMeasure(NotFound):
    slug, title = "unknown-measure", "There is no such measure"


class UnknownStage(NotFound):
    slug, title = "unknown-regulator-stage", "There is no such stage of a regulator's proceeding"


class StageTakenBack(Conflict):
    slug, title = "regulator-stage-taken-back", "This stage was taken back already"


class FourEyes(Forbidden):
    slug, title = "four-eyes", "Nobody decides on their own proposal"


_HOW = {
    Cause.BY_HAND: "POST /v1/cases/{id}/moves",
    Cause.RESULT: "POST /v1/cases/{id}/resolution",
    Cause.MILESTONE: "the acknowledgement's delivery, or the classification",
    Cause.CUSTOMER_WROTE: "a message of the customer",
    Cause.FEEDBACK: "survey, follow-up visit or closing summary (feedback-service)",
    Cause.LINK: "linking the complaint as a duplicate (intake-service)",
}


class IllegalMove(Conflict):
    """C7. `legal` lists every move that the state allows and what makes it."""

    slug, title = "illegal-move", "The case cannot go there from its state"

    @classmethod
    def between(cls, state: CaseState, to: CaseState) -> "IllegalMove":
        moves = states.MOVES[state]
        listed = [{"to": target.value, "cause": cause.value, "by": _HOW[cause]} for target, cause in moves.items()]
        told = ", ".join(f"{target.value} ({_HOW[cause]})" for target, cause in moves.items()) or "none, it has ended"
        return cls(
            f"The case is {state}; it cannot become {to} so. Legal: {told}.",
            pointer="/to",
            state=state.value,
            legal=listed,
        )


class CaseNotOpen(Conflict):
    slug, title = "case-not-open", "The case is not being worked on"

    @classmethod
    def since_it_is(cls, state: CaseState) -> "CaseNotOpen":
        return cls(
            f"The case is {state}; this belongs to an open case. A dissatisfied complainant's feedback reopens it.",
            state=state.value,
        )


class NotAnalysedAgain(Conflict):
    slug, title = "not-analysed-again", "A reopened case is analysed again first"

    @classmethod
    def in_cycle(cls, cycle: int) -> "NotAnalysedAgain":
        return cls(
            f"Cycle {cycle} has no finding yet. "
            "Record what was found this time (POST /v1/cases/{id}/findings), then resolve."
        )


class ApprovalPending(Conflict):
    slug, title = "approval-pending", "A measure still waits for approval"


class TransferNotOpen(Conflict):
    slug, title = "transfer-not-open", "The transfer task is not open"


class PromiseNotOpen(Conflict):
    slug, title = "promise-not-open", "The promise is not open"


class MeasureStatusForbids(Conflict):
    slug, title = "measure-status-forbids", "The measure's status does not allow this"


class ResultIncomplete(Invalid):
    """C6."""

    slug, title = "result-incomplete", "The written result lacks a part"

    @classmethod
    def without(cls, parts: Sequence[str]) -> "ResultIncomplete":
        return cls(
            f"Missing: {', '.join(parts)}. Write each part in the customer's language; "
            "where there is no compensation, say so.",
            errors=[FieldError(detail=f"The result needs its {part}.", pointer=f"/{part}") for part in parts],
            missing=list(parts),
        )


class UnknownTeam(Invalid):
    slug, title = "unknown-team", "The roster has no such team"

    @classmethod
    def among(cls, team_id: str, known: Sequence[str]) -> "UnknownTeam":
        return cls(
            f"{team_id!r} is not in the roster. Known: {', '.join(known) or 'none yet'}. "
            "An outside partner is named by `contact` alone.",
            pointer="/team_id",
            known=list(known),
        )


class ReasonMissing(Invalid):
    slug, title = "reason-missing", "A word is needed here"


class BadInstant(Invalid):
    slug, title = "bad-instant", "The instant does not fit"
