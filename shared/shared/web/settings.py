"""Settings that every service has. Nothing is read at import; `Settings()` reads the environment.

A service subclasses with its prefix::

    class Settings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix="TRIAGE_")

Every field is read with the prefix (`TRIAGE_PORT`). The names in `SHARED_NAMES` are read without it as well, so that
one environment serves all services; where both are given, the prefixed one wins.
"""

import os
from typing import Any, Literal

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

#: Field -> the name it may have in the environment without the service's prefix.
SHARED_NAMES = {
    "database_url": "DATABASE_URL",
    "kafka_bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS",
    "kafka_partitions": "KAFKA_PARTITIONS",
    "kafka_session_seconds": "KAFKA_SESSION_SECONDS",
    "auth_jwks": "AUTH_JWKS",
    "auth_issuer": "AUTH_ISSUER",
    "auth_audience": "AUTH_AUDIENCE",
    "auth_roles_claim": "AUTH_ROLES_CLAIM",
    "auth_teams_claim": "AUTH_TEAMS_CLAIM",
    "public_base_url": "PUBLIC_BASE_URL",
    "otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "log_level": "LOG_LEVEL",
    "log_format": "LOG_FORMAT",
    "workers": "WORKERS",
    "migrate_on_start": "MIGRATE_ON_START",
}


class _SharedNames(PydanticBaseSettingsSource):
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = SHARED_NAMES.get(field_name, "")
        return os.environ.get(name) or None, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        given = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in given.items() if value is not None}


class ServiceSettings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    #: The service's own role and database, `postgresql://redress_triage:…@host/redress`.
    database_url: str
    database_pool_size: int = Field(default=8, ge=1, le=200)

    #: `host:port,host:port`; None is the local bus (all services in one process).
    kafka_bootstrap_servers: str | None = None
    kafka_partitions: int = Field(default=12, ge=1)
    #: After how long a consumer that was killed is missed; the broker's `group.min.session.timeout.ms` is the least.
    kafka_session_seconds: float = Field(default=10.0, ge=1)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    migrate_on_start: bool = False
    #: Where customers reach the system, for links in messages; without a trailing slash.
    public_base_url: str = "http://127.0.0.1:8080"

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    otlp_endpoint: str | None = None

    #: A URL, a file's path, or the JWKS itself. Without it nobody can sign in by token.
    auth_jwks: str | None = None
    auth_issuer: str = "redress"
    auth_audience: str = "redress"
    #: Where a token names roles and teams; a path with dots reaches into objects (`realm_access.roles`).
    auth_roles_claim: str = "roles"
    auth_teams_claim: str = "teams"

    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    #: Requests per second and principal (or address) on the average, and how many may come at once.
    rate_limit_per_second: float = Field(default=5000, gt=0)
    rate_limit_burst: int = Field(default=10_000, ge=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SharedNames(settings_cls)
