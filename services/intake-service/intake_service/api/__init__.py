"""HTTP door: parse, one use case, shape the answer."""

from intake_service.api import complainants, complaints, keys, webform

ROUTERS = (complaints.receiving, complaints.router, complainants.router, keys.router, webform.router)
