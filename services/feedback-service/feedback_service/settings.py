"""FEEDBACK_…: see `ServiceSettings` for what every service has."""

from datetime import timedelta

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.web.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="FEEDBACK_", frozen=True)

    #: Signs the survey links; at least 16 characters, the same in every replica.
    token_secret: SecretStr
    #: Answers from this level on (5 to 1) count as satisfied.
    satisfied_from: int = 3
    survey_valid: timedelta = timedelta(days=14)
    follow_up_earliest: timedelta = timedelta(days=1)
    follow_up_due: timedelta = timedelta(days=3)
    #: Months are counted as people in this time zone count them.
    time_zone: str = "Asia/Shanghai"
