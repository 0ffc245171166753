"""Bilingual templates: what ships with the package, what a company puts in its place, and how either becomes text."""

from notify_service.rendering.catalogue import PARTS, TemplateParts, shipped
from notify_service.rendering.engine import Rendered, TemplateFault, check, render, render_short
from notify_service.rendering.variables import SAMPLES, context

__all__ = [
    "PARTS",
    "SAMPLES",
    "Rendered",
    "TemplateFault",
    "TemplateParts",
    "check",
    "context",
    "render",
    "render_short",
    "shipped",
]
