"""``python -m benchmarks [NAME …]``: all of them, or those that are named."""

import os
import sys

from rich.console import Console

from benchmarks.figures import LATEST, Figure, keep, show
from benchmarks.registry import BENCHMARKS
from redress.embedded import DatabaseUnavailable
from redress.kafka import KafkaUnavailable


def main(names: list[str]) -> int:
    """0 when everything was measured, goals met or not; 1 where something could not be measured; 2 for a wrong name."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    console = Console()
    load = os.getloadavg()[0]
    if load > 0.5 * (os.cpu_count() or 1):
        console.print(f"[yellow]Load average {load:.1f}: something else is running; figures will be too low.[/]")
    figures: list[Figure] = []
    status = 0
    for name in names or list(BENCHMARKS):
        console.rule(name)
        try:
            found = list(BENCHMARKS[name]())
        except (KafkaUnavailable, DatabaseUnavailable) as missing:
            print(f"{name} was not measured: {missing}", file=sys.stderr)
            status = 1
            continue
        keep(found)
        figures.extend(found)
    show(figures, console)
    console.print(f"Also in {LATEST}.")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
