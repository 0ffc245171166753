"""Topics are created by us, with their partitions: `redress topics`. A broker's auto-creation would choose for us."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError as KafkaError
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts import COMPACTED_TOPICS, SERVICES, TOPICS

RETENTION_DAYS = 7
_DAY = 86_400_000


@dataclass(frozen=True)
class TopicPlan:
    """One topic as it should be."""

    name: str
    partitions: int
    compacted: bool = False
    retention_days: int = RETENTION_DAYS
    max_message_bytes: int | None = None

    @property
    def configs(self) -> dict[str, str]:
        found = (
            {"cleanup.policy": "compact", "delete.retention.ms": str(self.retention_days * _DAY)}
            if self.compacted
            else {"cleanup.policy": "delete", "retention.ms": str(self.retention_days * _DAY)}
        )
        return found if self.max_message_bytes is None else {**found, "max.message.bytes": str(self.max_message_bytes)}


@dataclass(frozen=True)
class TopicsReport:
    """What was done: names created, names that were there, and those that differ from the plan, with how."""

    created: tuple[str, ...]
    present: tuple[str, ...]
    differing: dict[str, str]


def plan_topics(partitions: int, *, retention_days: int = RETENTION_DAYS) -> list[TopicPlan]:
    """Every topic of the contracts, and every service's dead letters."""
    return [
        *(TopicPlan(name, partitions, name in COMPACTED_TOPICS, retention_days) for name in TOPICS),
        *(TopicPlan(f"redress.{service}.dlq", 1, retention_days=4 * retention_days) for service in SERVICES),
    ]


async def ensure_topics(
    bootstrap_servers: str, plans: Sequence[TopicPlan], *, replication_factor: int = 1
) -> TopicsReport:
    """Create the topics that are missing. Those that are there are left as they are: other partitions would
    tear the events of one key out of their order. Raises `aiokafka.errors.KafkaError`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id="redress-topics")
    try:
        await admin.start()
        there = {name: len(found["partitions"]) for name, found in (await _described(admin)).items()}
        missing = [plan for plan in plans if plan.name not in there]
        created: list[str] = []
        if missing:
            answer = await admin.create_topics(
                [
                    NewTopic(plan.name, plan.partitions, replication_factor, topic_configs=plan.configs)
                    for plan in missing
                ]
            )
            for name, code, *rest in answer.topic_errors:
                if code == 0:
                    created.append(name)
                elif code != TopicAlreadyExistsError.errno:
                    raise for_code(code)(f"{name}: {rest[0] if rest else 'not created'}")
        differing = {
            plan.name: f"{there[plan.name]} partitions instead of {plan.partitions}"
            for plan in plans
            if there.get(plan.name, plan.partitions) != plan.partitions
        }
        present = tuple(plan.name for plan in plans if plan.name not in created)
        return TopicsReport(tuple(created), present, differing)
    finally:
        await admin.close()


async def _described(admin: AIOKafkaAdminClient) -> dict[str, dict[str, list[object]]]:
    return {found["topic"]: found for found in await admin.describe_topics() if found["error_code"] == 0}
