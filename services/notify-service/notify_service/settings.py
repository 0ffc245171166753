"""What an operator can set; every name has the prefix NOTIFY_ in the environment."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.contracts.vocabulary import Language, Urgency
from shared.errcode import HOST as WECOM_HOST
from shared.replies import MAX_LOCAL
from shared.web.settings import ServiceSettings

DINGTALK_HOST = "https://oapi.dingtalk.com"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone; an example is Asia/Shanghai") from error
    return name


def _short_mailbox(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if not local or not domain or len(local) > MAX_LOCAL:
        raise ValueError(f"{address!r} is no mailbox with at most {MAX_LOCAL} characters before the @")
    return address


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="NOTIFY_")

    #: Without a host, mails are recorded like text messages and nothing leaves the house.
    smtp_host: str | None = None
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    #: The sender's address; the name before it is the house's.
    smtp_from: str = "noreply@redress.example"
    #: The mailbox that receives answers to mails to complainants, and what signs the address in them, the same as
    #: INTAKE_REPLY_SECRET. Without both, mails carry no reply address.
    reply_mailbox: Annotated[str, AfterValidator(_short_mailbox)] | None = None
    reply_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    smtp_timeout_seconds: float = Field(default=10, gt=0, le=120)
    smtp_connections: int = Field(default=4, ge=1, le=32)

    #: WeCom's customer service 微信客服; without a company, messages to customers by WeCom are recorded.
    wecom_host: str = WECOM_HOST
    wecom_corp_id: str | None = None
    wecom_secret: SecretStr | None = None
    #: The service account that answers where a complaint came by none.
    wecom_open_kfid: str | None = None
    #: The key of a group robot that tells colleagues; without one they are recorded.
    wecom_robot_key: SecretStr | None = None
    #: Answers go to session webhooks of this host alone.
    dingtalk_host: str = DINGTALK_HOST
    provider_timeout_seconds: float = Field(default=10, gt=0, le=120)

    #: How long a message waits for its complainant's contacts before it becomes a notice in the system.
    contacts_grace_seconds: float = Field(default=60, ge=0)
    attempts: int = Field(default=10, ge=1, le=100)
    retry_first_seconds: float = Field(default=5, gt=0)
    retry_most_seconds: float = Field(default=900, gt=0)
    #: How long a worker may keep what it claimed; what a dead worker held is claimed anew after it.
    lease_seconds: float = Field(default=60, ge=2)
    delivery_batch: int = Field(default=200, ge=1, le=1000)
    #: How often (real seconds) the worker looks for messages that nobody in its process told it of.
    delivery_poll_seconds: float = Field(default=1, gt=0)

    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    #: Who writes to the customer.
    house_zh: str = "客户服务中心"
    house_en: str = "Customer Care"
    staff_language: Language = Language.ZH
    #: What the customer is promised (F1, minutes) and a department is asked for (F3, hours).
    first_response_minutes: dict[Urgency, int] = Field(default={Urgency.HIGH: 15, Urgency.MEDIUM: 30, Urgency.LOW: 60})
    transfer_response_hours: dict[Urgency, int] = Field(default={Urgency.HIGH: 2, Urgency.MEDIUM: 4, Urgency.LOW: 8})
