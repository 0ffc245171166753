"""The templates that ship with the package: one TOML file per language and purpose."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from shared.contracts.vocabulary import Language, Purpose

PARTS = ("subject", "text", "short", "html")


@dataclass(frozen=True, slots=True)
class TemplateParts:
    """`subject` and `text` are for mails and notices. `short` is for text messages and WeCom, `html` for the mail's
    HTML; without them the text serves for both."""

    subject: str
    text: str
    short: str | None = None
    html: str | None = None


@cache
def shipped(purpose: Purpose, language: Language) -> TemplateParts:
    source = files("notify_service.rendering") / "templates" / language.value / f"{purpose.value}.toml"
    return TemplateParts(**tomllib.loads(source.read_text(encoding="utf-8")))
