"""What an operator may set, by environment: INTAKE_…"""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.web.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="INTAKE_")

    #: Signs the status links of the web form; 32 random characters, the same in every replica.
    token_secret: SecretStr
    #: The time zone of the day in a complaint's number.
    number_zone: str = "Asia/Shanghai"
    #: The country of phone numbers that come without a country code (ISO 3166).
    phone_region: str = Field(default="CN", pattern="^[A-Z]{2}$")
    #: Seconds by which the clocks of channels may be ahead of ours.
    clock_skew_seconds: int = Field(default=120, ge=0, le=3600)
    #: Complaints that go into one transaction at most, and that may wait for the next one.
    receive_batch: int = Field(default=128, ge=1, le=1000)
    receive_waiting: int = Field(default=4096, ge=1)
    #: Signs the reply addresses and message ids of mails to complainants, the same as NOTIFY_REPLY_SECRET; 32 random
    #: characters. Without it no mail joins a complaint by its address.
    reply_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    #: Where mails are delivered to the channels of the kind smtp; no port, no door. LMTP answers for each recipient.
    smtp_host: str = "127.0.0.1"
    smtp_port: int | None = Field(default=None, ge=0, le=65535)
    smtp_lmtp: bool = False
    #: A certificate with its chain, and its key: STARTTLS is offered, and demanded where it is required.
    smtp_certificate: Path | None = None
    smtp_key: Path | None = None
    smtp_require_tls: bool = False
    #: Bytes of a mail; a larger one is refused (552).
    smtp_max_bytes: int = Field(default=30 * 2**20, ge=1024)
    #: The score from which a complaint is on the list of suspected spam, and not acknowledged by itself.
    spam_threshold: float = Field(default=0.7, gt=0, le=1)
    #: Connections of mail servers to one process; one more is told to come again (421).
    smtp_connections: int = Field(default=200, ge=1)
    #: Bytes of the mails that one process has at work at once, by what their senders say of their size, or else by the
    #: most that is taken. Each costs some four times as much memory. Others wait, then are told to come again (451).
    smtp_memory_bytes: int = Field(default=64 * 2**20, ge=1024)
    #: A mail with more bytes is kept in the attachment store as it came, else beside its receipt.
    raw_inline_bytes: int = Field(default=64 * 1024, ge=0)
    #: Complaint numbers that a process takes at a time; what it has not used when it ends is never used.
    number_block: int = Field(default=50, ge=1, le=10_000)
    #: The team in charge of messages that could not be understood, where their channel names none.
    quarantine_owner: str = Field(default="intake-leads", min_length=1, max_length=100)
    #: Hours after which a message in quarantine must have been looked at.
    quarantine_hours: float = Field(default=24, gt=0, le=8760)
    #: Seconds between two counts of what came in against what is accounted for.
    reconcile_seconds: float = Field(default=60, ge=1)
    #: A YAML file with channels; it is read at every start.
    channels: Path | None = None
    #: The folder below which secrets may lie that channels name by `file:`.
    secrets_dir: Path | None = None
    #: Seconds after which a change of channels is known to every process.
    channels_refresh_seconds: float = Field(default=2.0, gt=0, le=60)
    #: Seconds between two tries at a provider that fails: the first, and the most.
    pull_retry_first_seconds: float = Field(default=1.0, gt=0)
    pull_retry_most_seconds: float = Field(default=60.0, gt=0)
    #: Bytes of one request; a complaint with all its parts filled stays below.
    max_body_bytes: int = Field(default=512 * 1024, ge=1024)

    #: Where attachments lie: `file:///folder`, or `s3://bucket/prefix?region=…&endpoint=…`.
    blobs: str = Field(default="file:///var/lib/redress/attachments", pattern="^(file|s3)://")
    #: Bytes of one attachment.
    max_attachment_bytes: int = Field(default=50 * 1024 * 1024, ge=1)
    #: Hours after which an upload is deleted that no complaint and no message has named.
    unnamed_attachment_hours: float = Field(default=24, gt=0)
    #: The virus scanner: `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`; without it nothing is scanned.
    clamd: str | None = Field(default=None, pattern="^(tcp|unix)://")
    #: Seconds for one file.
    clamd_timeout_seconds: float = Field(default=120, gt=0)
    #: Whether files are given out that the scanner has not passed yet, or could not.
    serve_unscanned: bool = False
    #: Minutes that a link to an attachment is good for.
    attachment_link_minutes: float = Field(default=15, gt=0, le=24 * 60)

    #: Forms per second and address on the average, and how many may come at once (a house behind one address).
    form_rate_limit_per_second: float = Field(default=0.1, gt=0)
    form_rate_limit_burst: int = Field(default=20, ge=1)

    #: Files of one form, and bytes of each.
    form_files: int = Field(default=5, ge=0, le=50)
    form_file_bytes: int = Field(default=10 * 1024 * 1024, ge=1)

    #: Chats that an address may open per second on the average, and how many at once.
    chat_rate_limit_per_second: float = Field(default=0.1, gt=0)
    chat_rate_limit_burst: int = Field(default=20, ge=1)
    #: Messages per second that somebody may send in a chat on the average, and how many at once.
    chat_messages_per_second: float = Field(default=1, gt=0)
    chat_messages_burst: int = Field(default=30, ge=1)
    #: Files that visitors of one address may upload per second on the average, and how many at once.
    chat_files_per_second: float = Field(default=0.1, gt=0)
    chat_files_burst: int = Field(default=20, ge=1)
    #: Hours that a visitor's token is good for.
    chat_token_hours: float = Field(default=24, gt=0, le=24 * 30)
    #: Sockets that a process holds open, and of these with one address.
    chat_sockets: int = Field(default=2000, ge=1)
    chat_sockets_per_address: int = Field(default=50, ge=1)
    #: Seconds after which news from other processes is seen.
    chat_poll_seconds: float = Field(default=0.25, gt=0)
    #: Seconds within which a socket must say who it is, after which one that says nothing is closed, and within which
    #: its peer must take what is sent.
    chat_hello_seconds: float = Field(default=10, gt=0)
    chat_idle_seconds: float = Field(default=900, gt=0)
    chat_send_seconds: float = Field(default=10, gt=0)

    @field_validator("number_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone, such as Asia/Shanghai")
        return name

    @property
    def form_bytes(self) -> int:
        """Of a whole form: twice what is taken, so that whoever sends too much is mostly told so by the page."""
        return self.max_body_bytes + 2 * self.form_files * self.form_file_bytes

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.number_zone)
