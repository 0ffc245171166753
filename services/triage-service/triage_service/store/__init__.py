"""Triage's tables and queries. No commits."""

from triage_service.store.tables import metadata

__all__ = ["metadata"]
