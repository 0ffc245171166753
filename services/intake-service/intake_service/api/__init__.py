"""HTTP door: parse, one use case, shape the answer."""

from intake_service.api import complainants, complaints, keys

ROUTERS = (complaints.router, complainants.router, keys.router)
