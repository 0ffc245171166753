"""HTTP door: parse, one use case, shape the answer."""

from fastapi import APIRouter

from resolution_service.api import cases, measures, promises, transfers

ROUTERS: tuple[APIRouter, ...] = (cases.router, transfers.router, promises.router, measures.router)

__all__ = ["ROUTERS"]
