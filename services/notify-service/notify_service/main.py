"""Composition root of notify-service."""

import httpx
import structlog

from notify_service.api import ROUTERS
from notify_service.carriers import (
    Carrier,
    Chat,
    CustomerService,
    GroupRobot,
    Notices,
    Recording,
    SessionWebhook,
    Smtp,
    SmtpAccount,
    Way,
)
from notify_service.events import CONSUMES, PUBLISHES
from notify_service.settings import Settings
from notify_service.store import metadata
from notify_service.usecases import Deps, Worker
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.vocabulary import Language, Means
from shared.errcode import WeComApi
from shared.ids import new_id
from shared.replies import Replies
from shared.service import Service, build_service, open_database

log = structlog.get_logger()


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("notify", settings)
    deps = Deps(
        session=database.session,
        reading=database.reading,
        clock=clock,
        ids=new_id,
        settings=settings,
        carriers=carriers_of(settings),
    )
    return build_service(
        "notify",
        title="Redress notify-service",
        description="Tell: templates, preferences, outgoing messages and their receipts.",
        settings=settings,
        database=database,
        bus=bus,
        deps=deps,
        metadata=metadata,
        routers=ROUTERS,
        consumes=CONSUMES,
        publishes=PUBLISHES,
        background=[Worker(deps).deliver_messages],
    )


def carriers_of(settings: Settings) -> dict[Means, Carrier]:
    """Mails by SMTP where a host is set; WeCom where its secrets are; text messages are recorded."""
    recording = Recording()
    http = httpx.AsyncClient(timeout=settings.provider_timeout_seconds)
    return {
        Means.SMS: recording,
        Means.WECOM: Chat(_wecom(settings, http), recording),
        Means.DINGTALK: Chat({"complainant": SessionWebhook(http, settings.dingtalk_host)}, recording),
        Means.EMAIL: _mail(settings) or recording,
        Means.IN_SYSTEM: Notices(),
    }


def _wecom(settings: Settings, http: httpx.AsyncClient) -> dict[str, Way]:
    """By audience: customers by the customers' service, colleagues by the robot of their group."""
    ways: dict[str, Way] = {}
    if settings.wecom_corp_id is not None and settings.wecom_secret is not None:
        api = WeComApi(http, settings.wecom_corp_id, settings.wecom_secret.get_secret_value(), settings.wecom_host)
        ways["complainant"] = CustomerService(api, settings.wecom_open_kfid)
    if settings.wecom_robot_key is not None:
        ways["staff"] = GroupRobot(http, settings.wecom_host, settings.wecom_robot_key.get_secret_value())
    return ways


def _mail(settings: Settings) -> Smtp | None:
    if settings.smtp_host is None:
        log.warning("mails are recorded and not sent: NOTIFY_SMTP_HOST is not set")
        return None
    return Smtp(
        SmtpAccount(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=settings.smtp_from,
            houses={Language.ZH: settings.house_zh, Language.EN: settings.house_en},
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            starttls=settings.smtp_starttls,
            timeout=settings.smtp_timeout_seconds,
            replies=Replies(settings.reply_secret.get_secret_value().encode()) if settings.reply_secret else None,
            reply_mailbox=settings.reply_mailbox,
            connections=settings.smtp_connections,
        )
    )
