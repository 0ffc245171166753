"""Triage's rules: what a classification and an assignment are, and who is given what. Pure."""
