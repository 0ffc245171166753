"""One function per action; the only place that opens a transaction."""

from resolution_service.usecases.deps import Deps

__all__ = ["Deps"]
