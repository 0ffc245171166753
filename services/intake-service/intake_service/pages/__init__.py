"""The public form's pages: server-rendered, in both languages, without JavaScript, made for a phone first."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from intake_service.pages.words import WORDS
from shared.contracts.vocabulary import Language

__all__ = ["STYLE_HASH", "WORDS", "language_of", "render"]

_STYLE = files("intake_service.pages").joinpath("style.css").read_text("utf-8")
#: The one style that the pages' Content-Security-Policy allows.
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("intake_service", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, language: Language, **values: Any) -> str:
    """`template` is one of this folder; the words come in `language`."""
    page = _environment().get_template(template)
    return page.render(language=language.value, words=WORDS[language], style=Markup(_STYLE), **values)


def language_of(asked: str | None, accepted: str) -> Language:
    """An explicit ``?lang=`` wins over the browser's Accept-Language (RFC 9110, 12.5.4); else Chinese."""
    if asked in set(Language):
        return Language(asked)
    best, found = 0.0, Language.ZH
    for choice in accepted[:1000].split(","):
        name, _, weight = choice.partition(";")
        tag = name.strip().lower().partition("-")[0]
        quality = _quality(weight)
        if tag in set(Language) and quality > best:
            best, found = quality, Language(tag)
    return found


def _quality(weight: str) -> float:
    """`q=0.8` → 0.8; 1 where nothing is said, 0 for what is no weight."""
    name, _, value = weight.partition("=")
    if not name.strip():
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
