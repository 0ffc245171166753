"""Kafka door: what is heard, and what is told."""

from intake_service import usecases
from shared.bus import Handler
from shared.contracts import Event, intake
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1

CONSUMES: dict[type[Event], Handler] = {
    CaseMovedV1: usecases.learn_of_moves,
    CaseResolvedV1: usecases.learn_of_results,
}
PUBLISHES: tuple[type[Event], ...] = intake.PUBLISHES
