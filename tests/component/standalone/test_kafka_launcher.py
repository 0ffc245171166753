"""The broker of the tests is a real one, keeps what it was given, and creates no topic by itself."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from redress import kafka

pytestmark = pytest.mark.kafka


async def test_a_broker_keeps_its_records_over_a_stop_and_a_start(tmp_path: Path, kafka_bootstrap: str) -> None:
    broker = kafka.Broker(tmp_path)
    broker.start()
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("kept", num_partitions=3, replication_factor=1)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True) as producer:
            await producer.send_and_wait("kept", b"value", key=b"key", headers=[("ce_id", b"1")])
        broker.stop()
        assert broker.pid is None
        broker.start()
        async with AIOKafkaConsumer(
            "kept", bootstrap_servers=broker.bootstrap, group_id="reader", auto_offset_reset="earliest"
        ) as consumer:
            record = await consumer.getone()
        assert (record.key, record.value, record.headers) == (b"key", b"value", (("ce_id", b"1"),))
    finally:
        broker.stop()


async def test_a_topic_that_nobody_created_does_not_appear(kafka_bootstrap: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, request_timeout_ms=2000) as producer:
        with pytest.raises(KafkaError):
            await producer.send_and_wait("redress.never-created", b"value")


def test_a_machine_without_java_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(kafka.KafkaUnavailable, match="Java 17 or newer"):
        kafka.java()


def test_a_machine_without_maven_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(kafka.KafkaUnavailable, match="Install Maven"):
        kafka.jars()
