"""Which errors are the event's fault, and which the world's."""

import asyncio
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Fault(Enum):
    #: The database is away: wait for it, however long it takes.
    AWAY = auto()
    #: Two transactions met: try again, a few times.
    CONFLICT = auto()
    #: May be either: whether the database answers decides.
    UNCLEAR = auto()
    #: The event, or its handler.
    EVENT = auto()


#: Connection exceptions, shutdown, starting up, too many connections, disk or memory full.
_AWAY = ("08", "57P01", "57P02", "57P03", "53")
#: Serialization failure, deadlock, lock not available.
_CONFLICT = ("40001", "40P01", "55P03")


def fault_of(error: BaseException) -> Fault:
    if isinstance(error, DBAPIError):
        state = sqlstate(error)
        if state.startswith(_AWAY):
            return Fault.AWAY
        if state in _CONFLICT:
            return Fault.CONFLICT
        return Fault.UNCLEAR if error.connection_invalidated or not state else Fault.EVENT
    if isinstance(error, PoolTimeout):
        return Fault.AWAY
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(state, str) and state.startswith(_AWAY):
        return Fault.AWAY
    if isinstance(error, (OSError, asyncio.TimeoutError)) or type(error).__module__.startswith("asyncpg"):
        return Fault.UNCLEAR
    return Fault.EVENT


def sqlstate(error: DBAPIError) -> str:
    """The five characters of PostgreSQL, or nothing where the error is the driver's own."""
    for source in (error.orig, getattr(error.orig, "__cause__", None)):
        state = getattr(source, "sqlstate", None)
        if isinstance(state, str):
            return state
    return ""


def describe(error: BaseException) -> str:
    """One line for people, without the parameters of the statement: they may be personal."""
    told = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    first = str(told).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {first}"[:500] if first else type(error).__name__
