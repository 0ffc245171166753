"""Feedback's tables and queries. No commits."""

from feedback_service.store.hearing import (
    erase,
    erased_among,
    insert_surveys,
    insert_visits,
    keep_deliveries,
    keep_moves,
)
from feedback_service.store.lists import (
    list_closings,
    list_surveys,
    list_visits,
    reasons_by_month,
    satisfaction_by_month,
)
from feedback_service.store.rows import (
    answer_survey,
    case_of,
    change_visit,
    closing,
    insert_closing,
    latest_survey,
    survey,
    visit,
)
from feedback_service.store.tables import OVER, metadata

__all__ = [
    "OVER",
    "answer_survey",
    "case_of",
    "change_visit",
    "closing",
    "erase",
    "erased_among",
    "insert_closing",
    "insert_surveys",
    "insert_visits",
    "keep_deliveries",
    "keep_moves",
    "latest_survey",
    "list_closings",
    "list_surveys",
    "list_visits",
    "metadata",
    "reasons_by_month",
    "satisfaction_by_month",
    "survey",
    "visit",
]
