"""Triage's HTTP door."""

from triage_service.api import complaints, roster, taxonomy

ROUTERS = (complaints.router, roster.router, taxonomy.router)
