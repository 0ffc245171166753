"""The classification matrix (B1) as data."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, StrictBool

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Language
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag
from triage_service.api.shapes import CODE, AdminDep, Body, Code, DepsDep, Label, StaffDep, example
from triage_service.classifier import Dimension
from triage_service.domain.taxonomy import Entry
from triage_service.usecases import roster
from triage_service.usecases.errors import EntryNotAllowed

router = APIRouter(tags=["taxonomy"])

Keyword = Annotated[str, Field(min_length=2, max_length=60, pattern=r"^[^\s\x00*][^\x00*]*[^\s\x00*]$")]


class EntryBody(Body):
    """`keywords` are phrases in either language that speak for the entry; the classifier uses them at once."""

    model_config = example(
        {
            "label": {"zh": "发票问题", "en": "Invoices"},
            "responsible": "finance",
            "keywords": ["发票抬头", "invoice title"],
            "position": 20,
        }
    )

    class Text(Body):
        zh: Label
        en: Label

    label: Text
    responsible: Code | None = Field(
        default=None, description="The party such issues usually fall to; issue types only"
    )
    keywords: list[Keyword] = Field(default_factory=list, max_length=100)
    position: int = Field(default=1000, ge=0, le=10_000, description="Order among the entries of the dimension")
    active: StrictBool = True


class EntryOut(BaseModel):
    dimension: Dimension
    code: str
    parent: str | None
    revision: int
    label: Bilingual
    text: str = Field(description="The label in the language that was asked for")
    responsible: str | None
    keywords: list[str]
    position: int
    active: bool

    @classmethod
    def of(cls, entry: Entry, lang: Language) -> "EntryOut":
        return cls(
            dimension=entry.dimension,
            code=entry.code,
            parent=entry.parent,
            revision=entry.revision,
            label=entry.label,
            text=entry.label.en if lang is Language.EN else entry.label.zh,
            responsible=entry.responsible,
            keywords=list(entry.keywords),
            position=entry.position,
            active=entry.active,
        )


class TaxonomyOut(BaseModel):
    data: list[EntryOut]


@router.get("/v1/taxonomy")
async def get_taxonomy(
    principal: StaffDep, deps: DepsDep, lang: Language = Language.ZH, dimension: Dimension | None = None
) -> TaxonomyOut:
    """Kinds, the tree of issue types, urgencies, responsible parties and emotions, with labels in both languages."""
    entries = await roster.list_taxonomy(deps)
    return TaxonomyOut(
        data=[EntryOut.of(entry, lang) for entry in entries if dimension is None or entry.dimension is dimension]
    )


@router.put("/v1/taxonomy/{dimension}/{code}", responses=responses(EntryNotAllowed, PreconditionFailed))
async def put_entry(
    dimension: Dimension,
    code: Annotated[str, Path(pattern=CODE, max_length=164, examples=["price.invoice"])],
    body: EntryBody,
    principal: AdminDep,
    deps: DepsDep,
    response: Response,
    if_match: IfMatch = None,
) -> EntryOut:
    """Add an entry or replace it. Codes of kinds, urgencies and emotions are fixed: only labels and keywords change."""
    entry = Entry(
        dimension=dimension,
        code=code,
        label=Bilingual(zh=body.label.zh, en=body.label.en),
        position=body.position,
        responsible=body.responsible,
        keywords=tuple(body.keywords),
        active=body.active,
    )
    changed = await roster.put_entry(entry, if_match, deps)
    response.headers["ETag"] = etag(changed.revision)
    return EntryOut.of(changed, Language.ZH)
