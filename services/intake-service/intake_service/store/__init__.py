"""Tables and queries. No commits."""

from intake_service.store.tables import metadata

__all__ = ["metadata"]
