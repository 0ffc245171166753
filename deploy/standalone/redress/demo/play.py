"""`redress demo`: the play with its troubles told in a sentence."""

from redress.demo import kafka, local
from redress.demo.telling import Telling
from redress.demo.world import NotSeen, UnexpectedAnswer
from redress.embedded import DatabaseUnavailable
from redress.fleet import NotReady
from redress.kafka import KafkaFailed, KafkaUnavailable
from redress.told import Told

TROUBLES = (NotSeen, UnexpectedAnswer, NotReady, KafkaFailed, KafkaUnavailable, DatabaseUnavailable)


def play(*, over_kafka: bool, with_twin: bool) -> bool:
    """Whether everything was seen. Raises `Told`."""
    telling = Telling()
    try:
        run = kafka.run if over_kafka else local.run
        return run(with_twin=with_twin, telling=telling)
    except TROUBLES as trouble:
        raise Told(str(trouble)) from trouble
