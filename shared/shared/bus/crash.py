"""Named points at which a process kills itself, for the reliability tests.

``REDRESS_CRASH_AT=relay.after_send:3`` sends SIGKILL at the third pass of that point; without the variable a pass costs
one comparison. Points: `commit.before_relay`, `relay.after_send` (before the rows are deleted), `consumer.mid_handler`
(the handler ran, nothing is committed), `consumer.after_commit` (before the offset is committed). Whoever fetches from
a provider has `pull.after_fetch`, `pull.before_commit` and `pull.after_commit`.
"""

import os
import signal
from collections import Counter

VARIABLE = "REDRESS_CRASH_AT"
POINTS = ("commit.before_relay", "relay.after_send", "consumer.mid_handler", "consumer.after_commit")
PULL_POINTS = ("pull.after_fetch", "pull.before_commit", "pull.after_commit")


def parse(text: str) -> tuple[str, int]:
    """``"relay.after_send:3"`` → ``("relay.after_send", 3)``; raises `ValueError` for a point that does not exist."""
    point, _, nth = text.partition(":")
    if point not in (*POINTS, *PULL_POINTS) or not (nth or "1").isdigit():
        raise ValueError(f"{VARIABLE}={text!r}: expected one of {', '.join((*POINTS, *PULL_POINTS))}, then :n")
    return point, int(nth or "1")


_at = parse(os.environ[VARIABLE]) if VARIABLE in os.environ else None
_passes: Counter[str] = Counter()


def arm(text: str | None) -> None:
    """Like the variable, for a process that has imported this module already."""
    global _at
    _at = None if text is None else parse(text)
    _passes.clear()


def reached(point: str) -> None:
    if _at is None or _at[0] != point:
        return
    _passes[point] += 1
    if _passes[point] == _at[1]:
        os.kill(os.getpid(), signal.SIGKILL)
