"""`redress topics`: every topic there is to be, and the dead letters' too."""

import typer

from redress.told import Told


async def create(bootstrap: str, partitions: int, replication: int, retention_days: int) -> None:
    """Raises `Told` where no broker answers, or where topics differ from what they should be."""
    from shared.bus.kafka.topics import KafkaError, ensure_topics, plan_topics

    plans = plan_topics(partitions, retention_days=retention_days)
    try:
        report = await ensure_topics(bootstrap, plans, replication_factor=replication)
    except KafkaError as trouble:
        raise Told(
            f"Kafka at {bootstrap} could not do it: {trouble}. Look at KAFKA_BOOTSTRAP_SERVERS, whether the broker "
            f"runs, and whether it has the {replication} nodes that --replication asks for."
        ) from trouble
    for name in report.created:
        typer.echo(f"{name}: created")
    for name in report.present:
        if name not in report.differing:
            typer.echo(f"{name}: is there")
    if report.differing:
        told = "\n".join(f"{name}: {difference}" for name, difference in report.differing.items())
        raise Told(
            f"{told}\nThese were left alone: other partitions would tear the events of one complaint out of their "
            "order. Give the number they have as --partitions, or move to new topics while nothing is under way."
        )
