"""Tables and queries of sla-service. No commits."""

from sla_service.store.tables import metadata

__all__ = ["metadata"]
