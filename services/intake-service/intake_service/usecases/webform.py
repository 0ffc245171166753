"""The public web form: receiving what it tells, and showing how the complaint stands."""

from collections.abc import AsyncIterable, Sequence
from datetime import timedelta
from uuid import UUID

from intake_service.domain.files import Purpose, link_token, read_link
from intake_service.domain.receipt import Receipt
from intake_service.domain.record import Attachment, NewComplaint
from intake_service.domain.spam import Seen
from intake_service.domain.webform import SUSPECTED_SPAM, Progress, complaint_of_token, token_of
from intake_service.store import complaints as store
from intake_service.store.attachments import hold_attachments
from intake_service.usecases.attachments import keep_file
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import NoSuchComplaint
from intake_service.usecases.receive import receive_complaint
from intake_service.usecases.spam import filled_in
from shared.contracts.vocabulary import CaseState
from shared.web.auth import Principal, Role
from shared.web.idempotency import Once

#: The form is a channel adapter of the house's own; nobody signs in to it.
FORM = Principal("web-form", frozenset({Role.ADAPTER}), "web form")
_NO_KEY = Once("", None, b"")


async def receive_form(record: NewComplaint, form_id: UUID, deps: Deps) -> str:
    """The token of the complaint's status link, after the commit. Raises what `receive_complaint` raises."""
    trapped = record.channel.account == SUSPECTED_SPAM
    seen = Seen(trap_filled=trapped, seconds=filled_in(form_id, deps.clock.now()))
    answer = await receive_complaint(record, FORM, _NO_KEY, deps, seen)
    told = Receipt.model_validate_json(bytes(answer.body))
    return token_of(told.id, deps.settings.token_secret.get_secret_value())


#: How long a form that came back may name the files that were sent with it before.
FILES_KEPT = timedelta(hours=12)


async def keep_upload(stream: AsyncIterable[bytes], name: str, stated_type: str, deps: Deps) -> str:
    """A token by which the form names the file when it is sent again. Raises what `keep_file` raises."""
    kept = await keep_file(stream, name, stated_type, FORM, deps)
    until = deps.clock.now() + FILES_KEPT
    return link_token(kept.id, until, deps.settings.token_secret.get_secret_value(), Purpose.FORM)


async def kept_uploads(tokens: Sequence[str], deps: Deps) -> dict[str, Attachment]:
    """The files of these tokens that are there, with their names and contents."""
    secret, now = deps.settings.token_secret.get_secret_value(), deps.clock.now()
    read = {token: read_link(token, secret, Purpose.FORM) for token in tokens}
    ids = {token: told[0] for token, told in read.items() if told is not None and told[1] > now}
    if not ids:
        return {}
    async with deps.session() as tx:
        rows = await hold_attachments(tx, ids.values())
    return {
        token: Attachment(id=each, name=rows[each]["name"], sha256=rows[each]["sha256"])
        for token, each in ids.items()
        if each in rows
    }


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
