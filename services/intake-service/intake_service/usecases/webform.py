"""The public web form: receiving what it tells, and showing how the complaint stands."""

from intake_service.domain.receipt import Receipt
from intake_service.domain.record import NewComplaint
from intake_service.domain.webform import Progress, complaint_of_token, token_of
from intake_service.store import complaints as store
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import NoSuchComplaint
from intake_service.usecases.receive import receive_complaint
from shared.contracts.vocabulary import CaseState
from shared.web.auth import Principal, Role
from shared.web.idempotency import Once

#: The form is a channel adapter of the house's own; nobody signs in to it.
FORM = Principal("web-form", frozenset({Role.ADAPTER}), "web form")
_NO_KEY = Once("", None, b"")


async def receive_form(record: NewComplaint, deps: Deps) -> str:
    """The token of the complaint's status link, after the commit. Raises what `receive_complaint` raises."""
    answer = await receive_complaint(record, FORM, _NO_KEY, deps)
    told = Receipt.model_validate_json(bytes(answer.body))
    return token_of(told.id, deps.settings.token_secret.get_secret_value())


async def show_progress(token: str, deps: Deps) -> Progress:
    """Raises `NoSuchComplaint`."""
    complaint_id = complaint_of_token(token, deps.settings.token_secret.get_secret_value())
    row = None
    if complaint_id is not None:
        async with deps.reading() as tx:
            row = await store.find(tx, complaint_id)
    if row is None:
        raise NoSuchComplaint("Open the link exactly as it was given.")
    return Progress(
        number=row["number"],
        received_at=row["received_at"],
        state=CaseState(row["state"] or CaseState.RECEIVED),
        moved_at=row["moved_at"],
        missing=tuple(row["missing"]),
    )
