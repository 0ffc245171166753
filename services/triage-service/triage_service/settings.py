"""TRIAGE_…: see `ServiceSettings` for what every service has."""

from pydantic_settings import SettingsConfigDict

from shared.web.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TRIAGE_", frozen=True)
