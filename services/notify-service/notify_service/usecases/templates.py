"""The templates in use: the shipped ones, and those a company put in their place."""

from dataclasses import dataclass
from datetime import datetime

from notify_service import store
from notify_service.rendering import SAMPLES, Rendered, TemplateFault, TemplateParts, check, shipped
from notify_service.usecases.deliver import variables_of
from notify_service.usecases.deps import Deps
from notify_service.usecases.errors import TemplateInvalid, TemplateNotFound
from shared.contracts.envelope import Actor
from shared.contracts.vocabulary import Language, Purpose
from shared.web.etag import if_match


@dataclass(frozen=True, slots=True)
class TemplateState:
    """`version` is 0 for a shipped template."""

    purpose: Purpose
    language: Language
    parts: TemplateParts
    variables: tuple[str, ...]
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str | None = None


async def list_templates(deps: Deps) -> list[TemplateState]:
    async with deps.reading() as tx:
        own = await store.overrides(tx)
    return [
        _state(purpose, language, own.get((purpose, language)), deps) for purpose in Purpose for language in Language
    ]


async def get_template(purpose: Purpose, language: Language, deps: Deps) -> TemplateState:
    async with deps.reading() as tx:
        own = await store.overrides(tx)
    return _state(purpose, language, own.get((purpose, language)), deps)


async def put_template(
    purpose: Purpose, language: Language, parts: TemplateParts, expected: str | None, actor: Actor, deps: Deps
) -> TemplateState:
    """From the next message on. Raises `TemplateInvalid`, `PreconditionFailed`."""
    _checked(purpose, language, parts, deps)
    async with deps.session() as tx:
        before = await store.lock_override(tx, purpose, language)
        version = before.version if before else 0
        if_match(expected, version)
        made = store.Override(parts, version + 1, deps.clock.now(), actor.id)
        await store.put_override(tx, purpose, language, made)
    return _state(purpose, language, made, deps)


async def delete_template(purpose: Purpose, language: Language, expected: str | None, deps: Deps) -> None:
    """Go back to the shipped one. Raises `TemplateNotFound`, `PreconditionFailed`."""
    async with deps.session() as tx:
        before = await store.lock_override(tx, purpose, language)
        if before is None:
            raise TemplateNotFound("The shipped template is in use already.")
        if_match(expected, before.version)
        await store.delete_override(tx, purpose, language)


async def preview_template(purpose: Purpose, language: Language, parts: TemplateParts | None, deps: Deps) -> Rendered:
    """What a customer would read, with example values; of `parts`, or of the template in use.

    Raises `TemplateInvalid`.
    """
    if parts is None:
        parts = (await get_template(purpose, language, deps)).parts
    return _checked(purpose, language, parts, deps)


def _checked(purpose: Purpose, language: Language, parts: TemplateParts, deps: Deps) -> Rendered:
    try:
        return check(parts, variables_of(purpose, SAMPLES[purpose], language, deps))
    except TemplateFault as fault:
        raise TemplateInvalid(f"{fault.part}: {fault.why}", pointer=f"/{fault.part}") from fault


def _state(purpose: Purpose, language: Language, own: store.Override | None, deps: Deps) -> TemplateState:
    variables = tuple(sorted(variables_of(purpose, SAMPLES[purpose], language, deps)))
    if own is None:
        return TemplateState(purpose, language, shipped(purpose, language), variables)
    return TemplateState(purpose, language, own.parts, variables, own.version, own.changed_at, own.changed_by)
