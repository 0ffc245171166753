"""INSIGHT_…: see `ServiceSettings` for what every service has."""

from pydantic_settings import SettingsConfigDict

from shared.web.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="INSIGHT_", frozen=True)

    #: Days, weeks and months are counted as people in this time zone count them.
    time_zone: str = "Asia/Shanghai"
    #: Only so many of the newest candidates are compared in a search for similar cases.
    similar_candidates: int = 2000
    #: Cases less alike than this are not similar (0 to 1).
    similar_at_least: float = 0.15
