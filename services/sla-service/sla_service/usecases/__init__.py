"""What sla-service does: one function per action."""

from sla_service.usecases.deps import Alarm, Deps, Shelf, mismatch_counter, shadow_gauge

__all__ = ["Alarm", "Deps", "Shelf", "mismatch_counter", "shadow_gauge"]
