"""Benchmarks against a floor of the same machine, measured in the same run: ``make bench``, ``make bench ONLY=accept``.

Each module measures one thing and returns figures; `registry.py` names them. docs/performance.md has the findings.
"""
