"""HTTP door: parse, one use case, shape the answer."""

from fastapi import APIRouter

from resolution_service.api import cases, measures, promises, regulators, transfers

ROUTERS: tuple[APIRouter, ...] = (
    cases.router,
    transfers.router,
    promises.router,
    measures.router,
    regulators.router,
)

__all__ = ["ROUTERS"]
