"""Troubles that a user can cure: what happened and what to do, in one message."""

from collections.abc import Generator
from contextlib import contextmanager


class Told(Exception):
    """Its text is all that the user needs; no traceback belongs to it."""


@contextmanager
def told() -> Generator[None]:
    """Turn the known troubles of databases, brokers and folders into `Told`."""
    from asyncpg.exceptions import InvalidAuthorizationSpecificationError, InvalidCatalogNameError
    from sqlalchemy.exc import DBAPIError

    from redress.embedded import Busy, DatabaseUnavailable
    from shared.service import CannotStart

    try:
        yield
    except (Busy, DatabaseUnavailable, CannotStart) as trouble:
        raise Told(str(trouble)) from trouble
    except (InvalidAuthorizationSpecificationError, InvalidCatalogNameError) as trouble:
        raise Told(f"PostgreSQL refused: {trouble}. {_ROLES}") from trouble
    except DBAPIError as trouble:
        raise Told(f"PostgreSQL said: {trouble.orig}. {_ROLES}") from trouble
    except OSError as trouble:
        raise Told(f"Could not connect: {trouble}. Look at DATABASE_URL and whether the server runs.") from trouble


_ROLES = (
    "DATABASE_URL must be an administrator's; the services' roles get their passwords from INTAKE_DATABASE_PASSWORD "
    "and so on."
)
