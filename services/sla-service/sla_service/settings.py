"""SLA_…: see `ServiceSettings` for what every service has."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.web.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SLA_", frozen=True)

    #: ``default``, ``seconds`` (for a demonstration), or the path of a YAML file with policies.
    policy_pack: str = "default"
    #: How often, in seconds of real time, the timers ask the database what other replicas have armed.
    timer_poll_seconds: float = Field(default=0.2, gt=0)
    #: Clocks that one round of the timers takes at most.
    timer_batch: int = Field(default=500, ge=1, le=5000)
    #: A clock that is late when it is learned of is looked at so many seconds later: its answer may be just behind.
    late_grace_seconds: float = Field(default=2.0, ge=0)
    #: The wall clock by which the published promise tells a month.
    time_zone: str = "Asia/Shanghai"
    #: The hour (UTC) at which every clock is folded anew and compared with what is kept. 19 is 03:00 in Shanghai.
    verify_hour: int = Field(default=19, ge=0, le=23)
    #: How often, in minutes, drafts in the shadow are counted anew.
    shadow_minutes: int = Field(default=15, ge=1)
