"""Every benchmark by its name. A benchmark is a function that measures and returns its figures."""

from collections.abc import Callable, Mapping, Sequence

from benchmarks import accept, attachments, consumer, due_instants, first_leg, fold, mail, messages, startup, timers
from benchmarks.figures import Figure

BENCHMARKS: Mapping[str, Callable[[], Sequence[Figure]]] = {
    "accept": accept.run,
    "messages": messages.run,
    "mail": mail.run,
    "attachments": attachments.run,
    "first-leg": first_leg.run,
    "consumer": consumer.run,
    "startup": startup.run,
    "due-instants": due_instants.run,
    "fold": fold.run,
    "timers": timers.run,
}
