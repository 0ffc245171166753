"""Triage's actions, one function each."""

from triage_service.usecases.deps import Deps, Knowledge

__all__ = ["Deps", "Knowledge"]
