"""Settings of resolution-service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.web.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="RESOLUTION_")

    #: Up to this sum an agent may pay without a manager (C1), by ISO 4217 currency, in its minor units. Money in a
    #: currency that is not named always needs approval. As JSON: `{"CNY": 50000, "USD": 7000}`.
    approval_limits_minor: dict[str, int] = Field(default_factory=lambda: {"CNY": 50_000})
