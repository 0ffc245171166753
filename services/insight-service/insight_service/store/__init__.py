"""Insight's tables and queries. No commits."""

from insight_service.store.tables import metadata

__all__ = ["metadata"]
