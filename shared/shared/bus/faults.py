"""Failure injection and barriers as part of the port, so that tests need not patch.

Points: `relay.before_send`, `relay.after_send`, `consumer.before_handler`, `consumer.mid_handler`,
`consumer.after_commit`.
"""

import asyncio
from dataclasses import dataclass, field

from shared.bus import crash


@dataclass
class Gate:
    """A barrier: `reached` is set when somebody stands at it, `open` lets them through."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self) -> None:
        self.opened.set()


@dataclass
class _Failure:
    error: Exception
    times: int | None


class Faults:
    """Without a fault set, a pass costs one look into an empty dict."""

    def __init__(self) -> None:
        self._gates: dict[tuple[str, str], Gate] = {}
        self._failures: dict[tuple[str, str], _Failure] = {}

    def hold(self, point: str, member: str) -> Gate:
        """Everybody of `member` who comes to `point` waits there until the gate is opened."""
        self._gates[point, member] = gate = Gate()
        return gate

    def fail(self, point: str, member: str, error: Exception, *, times: int | None = None) -> None:
        """The next `times` passes (`None`: all until `heal`) raise `error`."""
        self._failures[point, member] = _Failure(error, times)

    def heal(self, point: str, member: str) -> None:
        self._failures.pop((point, member), None)
        if gate := self._gates.pop((point, member), None):
            gate.open()

    async def reach(self, point: str, member: str) -> None:
        crash.reached(point)
        if gate := self._gates.get((point, member)):
            gate.reached.set()
            await gate.opened.wait()
        if failure := self._failures.get((point, member)):
            if failure.times is not None:
                failure.times -= 1
                if failure.times <= 0:
                    del self._failures[point, member]
            raise failure.error
