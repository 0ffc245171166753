"""Real public data, read where it lies: none of it is part of this project.

The folder is named by REDRESS_PUBLIC_DATA, else it is ``../shared/data`` beside the project. Where it is missing, what
needs it is skipped and says so. REDRESS_PROOFS=all (`make proofs`) takes every row; otherwise a sample does.
"""

import csv
import gzip
import io
import os
import random
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

FOLDER = Path(os.environ.get("REDRESS_PUBLIC_DATA") or Path(__file__).parents[3] / "shared" / "data")
#: Whether to take all there is, however long it takes.
ALL = os.environ.get("REDRESS_PROOFS") == "all"


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of ``<name>.csv.gz``."""
    path = FOLDER / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there; REDRESS_PUBLIC_DATA names the folder of the public data")
    with gzip.open(path) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")))


def sample(of: list[T], count: int, seed: int = 42) -> list[T]:
    """So many of them, always the same ones; all of them where all are asked for."""
    return of if ALL or len(of) <= count else random.Random(seed).sample(of, count)
