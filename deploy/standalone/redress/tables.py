"""Tables on the terminal and in pipes."""

from rich.console import Console
from rich.table import Table

#: Wider than any row: a table is as wide as what it says, so nothing is cut where the terminal is narrow or is none.
_WIDE = 2000


def show(table: Table, *, markup: bool = False) -> None:
    """Print it whole. With `markup`, what stands in brackets in a cell is rich's."""
    Console(soft_wrap=True, markup=markup, width=_WIDE).print(table)
