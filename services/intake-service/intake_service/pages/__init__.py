"""The public form's pages: server-rendered, in both languages, without JavaScript, made for a phone first."""

import base64
import hashlib
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from intake_service.pages.words import WORDS
from shared.contracts.vocabulary import Language
from shared.web.html import language_of, templates

__all__ = ["STYLE_HASH", "WORDS", "language_of", "render"]

_TEMPLATES = templates("intake_service")
_STYLE = files("intake_service.pages").joinpath("style.css").read_text("utf-8")
#: The one style that the pages' Content-Security-Policy allows.
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def render(template: str, language: Language, **values: Any) -> str:
    """`template` is one of this folder; the words come in `language`."""
    page = _TEMPLATES.get_template(template)
    return page.render(language=language.value, words=WORDS[language], style=Markup(_STYLE), **values)
