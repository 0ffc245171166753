"""The Kafka adapter (aiokafka). Nothing outside of `shared.bus` imports a Kafka client."""

from shared.bus.kafka.adapter import KafkaBus
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.kafka.topics import TopicPlan, TopicsReport, ensure_topics, plan_topics

__all__ = ["KafkaBus", "KafkaSettings", "TopicPlan", "TopicsReport", "ensure_topics", "plan_topics"]
