"""Receiving a complaint (A1, A2, A7, A8)."""

from fastapi import Response

from intake_service.domain.record import NewComplaint
from intake_service.domain.spam import Seen
from intake_service.groupcommit import Overloaded, RaceLost
from intake_service.usecases.access import check_channel
from intake_service.usecases.calls import with_call
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import ReceptionBusy
from intake_service.usecases.reception import checked
from intake_service.usecases.spam import weighed
from shared.telemetry.tracing import current_traceparent
from shared.web.auth import Principal
from shared.web.errors import Problem
from shared.web.idempotency import Once

NOTHING_SEEN = Seen()


async def receive_complaint(
    record: NewComplaint, principal: Principal, once: Once, deps: Deps, seen: Seen = NOTHING_SEEN
) -> Response:
    """The receipt, after the commit: 201, or 200 with the first one where this delivery was received before.

    Raises `NotYourChannel`, `ImpossibleRecord`, `ReceptionBusy`, and what `Once` raises.
    """
    check_channel(principal, record.channel)
    record = await with_call(record, deps)
    delivery = checked(record, principal, once, deps.clock.now(), deps.settings, current_traceparent())
    delivery = weighed(delivery, principal, seen, deps)
    try:
        outcome = await deps.receiving.submit(delivery)
    except (Overloaded, RaceLost) as error:
        raise ReceptionBusy("Nothing was kept. Send it again in a few seconds.") from error
    if isinstance(outcome, Problem):
        raise outcome
    return outcome
