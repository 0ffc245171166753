"""From templates to text.

A company edits its templates, so they are input: the sandbox lets them put variables, conditions and a few filters,
and nothing that loops, calls or computes. A template can neither reach Python nor burn the machine. What customers
wrote is data and never compiled.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notify_service.rendering.catalogue import TemplateParts

_FILTERS = ("e", "escape", "lower", "upper", "trim", "default", "length")
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.CondExpr, nodes.Compare,
    nodes.Operand, nodes.Not, nodes.And, nodes.Or, nodes.Const, nodes.Filter,
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAKS = re.compile(r"\s+")
_MOST_SUBJECT = 200
_MOST_VARIABLES = 100


class TemplateFault(ValueError):
    """A template cannot be used. `part` is the one at fault: subject, text, short or html."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(why)
        self.part = part
        self.why = why


@dataclass(frozen=True, slots=True)
class Rendered:
    """`html` is a whole document; `short` is what a text message says."""

    subject: str
    text: str
    short: str
    html: str


def _environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=autoescape, undefined=StrictUndefined, cache_size=0, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.globals.clear()
    return environment


_TEXT = _environment(autoescape=False)
_HTML = _environment(autoescape=True)


@lru_cache(maxsize=1024)
def _compiled(source: str, *, markup: bool) -> Template:
    return (_HTML if markup else _TEXT).from_string(source)


def render(parts: TemplateParts, variables: Mapping[str, Any]) -> Rendered:
    """Raises `TemplateFault` where a template asks for what the message has not."""
    subject, text = _subject(parts, variables), _text(parts, variables)
    short = text if parts.short is None else _render("short", parts.short, variables)
    fragment = _paragraphs(text) if parts.html is None else _render("html", parts.html, variables, markup=True)
    return Rendered(subject, text, short.strip(), _document(subject, fragment))


def render_short(parts: TemplateParts, variables: Mapping[str, Any]) -> Rendered:
    """For means that carry neither a long text nor HTML: these are empty. Raises `TemplateFault`."""
    short = _text(parts, variables) if parts.short is None else _render("short", parts.short, variables)
    return Rendered(_subject(parts, variables), "", short.strip(), "")


def _subject(parts: TemplateParts, variables: Mapping[str, Any]) -> str:
    return _BREAKS.sub(" ", _render("subject", parts.subject, variables)).strip()[:_MOST_SUBJECT]


def _text(parts: TemplateParts, variables: Mapping[str, Any]) -> str:
    return _render("text", parts.text, variables).strip() + "\n"


def _render(part: str, source: str, variables: Mapping[str, Any], *, markup: bool = False) -> str:
    try:
        rendered = _compiled(source, markup=markup).render(variables)
    except Exception as fault:  # a template is somebody's program: what it raises is its own affair
        raise TemplateFault(part, str(fault)[:200] or type(fault).__name__) from fault
    return _UNPRINTABLE.sub("", rendered)


def _paragraphs(text: str) -> str:
    escaped = html.escape(text.strip())
    return "".join(f"<p>{part.strip().replace(chr(10), '<br>')}</p>" for part in escaped.split("\n\n"))


def _document(subject: str, fragment: str) -> str:
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f"<title>{html.escape(subject)}</title></head>"
        '<body style="font-family:sans-serif;font-size:15px;line-height:1.7;color:#222;max-width:40em">'
        f"{fragment}</body></html>"
    )


def check(parts: TemplateParts, sample: Mapping[str, Any]) -> Rendered:
    """Render with the sample; raises `TemplateFault` for what a template may not do or does not know."""
    for part in ("subject", "text", "short", "html"):
        source = getattr(parts, part)
        if source is not None:
            _check_part(part, source, sample)
    return render(parts, sample)


def _check_part(part: str, source: str, sample: Mapping[str, Any]) -> None:
    try:
        tree = _TEXT.parse(source)
        found = list(tree.find_all(nodes.Node))
    except TemplateSyntaxError as fault:
        raise TemplateFault(part, f"line {fault.lineno}: {fault.message}") from fault
    except (RecursionError, ValueError) as fault:
        raise TemplateFault(part, "nested too deeply, or a number too long") from fault
    if sum(isinstance(node, nodes.Name) for node in found) > _MOST_VARIABLES:
        raise TemplateFault(part, f"more than {_MOST_VARIABLES} variables")
    for node in found:
        if not isinstance(node, _NODES):
            raise TemplateFault(
                part, f"line {node.lineno}: {type(node).__name__} is not allowed; use variables, if and simple filters"
            )
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise TemplateFault(part, f"line {node.lineno}: filter {node.name!r} is not one of {', '.join(_FILTERS)}")
    if unknown := find_undeclared_variables(tree) - sample.keys():
        raise TemplateFault(
            part, f"unknown variables {', '.join(sorted(unknown))}; this purpose has {', '.join(sorted(sample))}"
        )
