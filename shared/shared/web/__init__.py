"""HTTP: problems, who is calling, idempotency, pages, versions, health, and the hot door's short cut."""
