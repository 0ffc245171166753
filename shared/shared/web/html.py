"""Pages that people read: server-rendered, in both languages, without JavaScript. Templates and words are the service's
own, in its package `pages`."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from shared.contracts.vocabulary import Language

#: A header is not looked at beyond this many characters.
_HEADER = 1000


def templates(package: str) -> Environment:
    """The templates of a service's `pages`: everything is escaped, and a value that is missing is an error."""
    return Environment(
        loader=PackageLoader(package, "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def language_of(asked: str | None, accepted: str | None) -> Language:
    """An explicit ``?lang=`` wins over `accepted`, the Accept-Language header (RFC 9110, 12.5.4); Chinese where neither
    names a language of ours."""
    if asked in set(Language):
        return Language(asked)
    best, weight = Language.ZH, 0.0
    for part in (accepted or "")[:_HEADER].split(","):
        tag, _, quality = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in set(Language) and (given := _weight(quality)) > weight:
            best, weight = Language(name), given
    return best


def _weight(quality: str) -> float:
    """Of ``q=0.8``; 1 where nothing is given, 0 where it cannot be read."""
    name, _, value = quality.partition("=")
    if not name.strip():
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
