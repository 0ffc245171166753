"""Secrets that the standalone system makes for itself on its first start and keeps, readable by its owner alone."""

import os
import secrets
from pathlib import Path


def kept_secret(folder: Path, name: str) -> str:
    """The secret of this name, made now where there is none yet."""
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = folder / f".{name}.{os.getpid()}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        # A crash leaves either no secret or a whole one.
        unfinished.rename(path)
    return path.read_text()


def found_secret(folder: Path, name: str) -> str | None:
    path = folder / name
    return path.read_text() if path.exists() else None
