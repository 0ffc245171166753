"""The bus: one port, two adapters (`shared.bus.kafka`, `shared.bus.local`), one suite that both pass."""

from shared.bus.outbox import EventTooBig
from shared.bus.port import Bus, BusHealth, BusSettings, Handler, Member, Refused, gathers
from shared.bus.tables import BusTables, bus_tables

__all__ = [
    "Bus",
    "BusHealth",
    "BusSettings",
    "BusTables",
    "EventTooBig",
    "Handler",
    "Member",
    "Refused",
    "bus_tables",
    "gathers",
]
