"""Settings: with the service's prefix, the shared ones also without it."""

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from shared.service.run import read_settings
from shared.web.settings import SHARED_NAMES, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TRIAGE_")

    senior_after_minutes: int = 30


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SHARED_NAMES.values():
        monkeypatch.delenv(name, raising=False)


def test_shared_names_are_read_with_and_without_prefix_and_the_prefixed_one_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://all")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    monkeypatch.setenv("TRIAGE_DATABASE_URL", "postgresql://triage")
    monkeypatch.setenv("TRIAGE_SENIOR_AFTER_MINUTES", "45")
    read = Settings()
    assert read.database_url == "postgresql://triage"
    assert read.kafka_bootstrap_servers == "kafka:9092"
    assert read.otlp_endpoint == "http://collector:4318"
    assert read.senior_after_minutes == 45


def test_names_that_other_programs_use_are_not_read_without_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://all")
    monkeypatch.setenv("HOST", "a-shell-sets-this")
    monkeypatch.setenv("PORT", "1")
    assert (Settings().host, Settings().port) == ("127.0.0.1", 8080)
    monkeypatch.setenv("TRIAGE_PORT", "9001")
    assert Settings().port == 9001


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings(database_url="postgresql://all").port = 1  # type: ignore[misc]


def test_what_is_missing_or_wrong_is_told_by_the_names_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIAGE_PORT", "many")
    with pytest.raises(SystemExit) as ended:
        read_settings(Settings)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "TRIAGE_DATABASE_URL or DATABASE_URL: Field required" in said
    assert "TRIAGE_PORT: Input should be a valid integer" in said
