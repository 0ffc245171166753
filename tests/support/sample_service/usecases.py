from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from shared.web.errors import Conflict, NotFound
from shared.web.etag import etag, if_match
from shared.web.idempotency import Once
from tests.support.sample_service import store
from tests.support.sample_service.settings import Settings


@dataclass(frozen=True)
class Deps:
    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=200)
    answers: UUID | None = None


class Note(BaseModel):
    note_id: UUID
    text: str
    version: int
    created_at: datetime


class NoSuchNote(NotFound):
    slug, title = "no-such-note", "There is no such note"


class AlreadyThere(Conflict):
    slug, title = "note-already-there", "The note is there already"


async def add_note(new: NewNote, once: Once, deps: Deps) -> Response:
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        made = insert(store.notes).values(note_id=deps.ids(), text=new.text, answers=new.answers)
        row = (await tx.execute(made.returning(store.notes))).one()
        note = Note.model_validate(row, from_attributes=True)
        headers = {"Location": f"/v1/notes/{note.note_id}", "ETag": etag(note.version)}
        return await once.record(tx, note, status=201, headers=headers)


async def change_note(note_id: UUID, text: str, expected: str | None, deps: Deps) -> Note:
    async with deps.session() as tx:
        found = select(store.notes).where(store.notes.c.note_id == note_id).with_for_update()
        row = (await tx.execute(found)).one_or_none()
        if row is None:
            raise NoSuchNote(f"No note has the id {note_id}.")
        if_match(expected, row.version, required=True)
        change = update(store.notes).where(store.notes.c.note_id == note_id).values(text=text, version=row.version + 1)
        return Note.model_validate((await tx.execute(change.returning(store.notes))).one(), from_attributes=True)


async def list_notes(after: tuple[datetime, UUID] | None, limit: int, deps: Deps) -> list[Note]:
    place = (store.notes.c.created_at, store.notes.c.note_id)
    query = select(store.notes).order_by(*place).limit(limit)
    if after is not None:
        query = query.where(tuple_(*place) > after)
    async with deps.reading() as tx:
        return [Note.model_validate(row, from_attributes=True) for row in await tx.execute(query)]
