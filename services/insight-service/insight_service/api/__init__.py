"""Insight's HTTP door."""

from insight_service.api import actions, archive, reviews, trends

ROUTERS = (archive.router, trends.router, reviews.router, actions.router)
