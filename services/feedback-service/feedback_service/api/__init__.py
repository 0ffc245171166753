"""Feedback's HTTP door: the customer's pages and the JSON API."""

from feedback_service.api import closings, customer, surveys, visits

ROUTERS = (customer.router, surveys.router, visits.router, closings.router)
