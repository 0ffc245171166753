"""Which database: `DATABASE_URL`, an administrator's, else the embedded server of the data folder."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from redress.embedded import Postgres, held, is_held, postgres
from redress.kept import found_secret, kept_secret
from shared.contracts import SERVICES
from shared.db.migrate import role_of


@dataclass(frozen=True)
class Databases:
    """An administrator's URL, and the passwords of the services' roles (none where the server asks for none)."""

    admin_url: str
    passwords: Mapping[str, str]

    def url(self, service: str) -> str:
        """The URL of the service's own role. `<SERVICE>_DATABASE_URL` of the environment wins."""
        if given := os.environ.get(f"{service.upper()}_DATABASE_URL"):
            return given
        as_role = make_url(self.admin_url).set(username=role_of(service), password=self.passwords.get(service))
        return as_role.render_as_string(hide_password=False)


@contextmanager
def databases(folder: Path) -> Generator[Databases]:
    """For commands that work beside a running system, or without one.

    `DATABASE_URL` where it is set; else the embedded server of a system that runs on `folder`; else that server,
    started for the length of the block. Raises `redress.embedded.DatabaseUnavailable`.
    """
    if (given := os.environ.get("DATABASE_URL")) or is_held(folder):
        passwords = {service: password for service in SERVICES if (password := _password(folder, service, make=False))}
        yield Databases(given or Postgres(folder / "postgres").url, passwords)
        return
    with own_databases(folder) as found:
        yield found


@contextmanager
def own_databases(folder: Path) -> Generator[Databases]:
    """For the system itself: the data folder is its own until the block ends. Raises `redress.embedded.Busy`."""
    with held(folder):
        if given := os.environ.get("DATABASE_URL"):
            yield Databases(given, {service: _password(folder, service, make=True) for service in SERVICES})
            return
        with postgres(folder / "postgres") as url:
            yield Databases(url, {})


def _password(folder: Path, service: str, *, make: bool) -> str:
    """`INTAKE_DATABASE_PASSWORD` and so on; else the one kept in the data folder; "" where there is none."""
    if given := os.environ.get(f"{service.upper()}_DATABASE_PASSWORD"):
        return given
    name = f"{service}.database_password"
    return kept_secret(folder / "keys", name) if make else found_secret(folder / "keys", name) or ""
