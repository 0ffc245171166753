"""notify-service behind its HTTP door and on the local bus, with its worker running."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from notify_service.events import CONSUMES
from notify_service.main import service
from notify_service.settings import Settings
from shared.clock import SimulatedClock
from shared.contracts import Event
from shared.contracts.vocabulary import Channel, Priority
from shared.db import Database
from shared.ids import new_id
from shared.service import Service
from shared.web.auth import Role
from tests.component.notify import happenings as told
from tests.component.notify.kit import MailServer, contacts, eventually, mail_server
from tests.support.builders import RECEIVED, facts, received, resolved
from tests.support.door import SIGNER, door, signed_in

AGENT = signed_in(Role.AGENT)
LEAD = signed_in(Role.LEAD, subject="lead-zhang")
ADMIN = signed_in(Role.ADMIN, subject="admin")
OWN = {"subject": "进展 {{ number }}", "text": "{{ progress }}", "short": "短:{{ progress }}", "html": None}


class House:
    def __init__(self, built: Service, http: httpx.AsyncClient, mail: MailServer) -> None:
        self.service, self.http, self.mail = built, http, mail

    async def hear(self, *events: Event) -> None:
        for event in events:
            async with self.service.database.session() as tx:
                await CONSUMES[type(event)]([event], tx, self.service.deps)

    async def get(self, path: str, headers: dict[str, str] = AGENT, **query: Any) -> Any:
        answer = await self.http.get(path, headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def settled(self, count: int) -> list[dict[str, Any]]:
        """The messages, newest first, when `count` of them have come to their end."""

        async def done() -> Any:
            listed = (await self.get("/v1/messages"))["data"]
            return len([each for each in listed if each["status"] in ("delivered", "failed")]) == count and listed

        found: list[dict[str, Any]] = await eventually(done)
        return found


@pytest.fixture
async def house(schema_of: Callable[[str], Awaitable[Database]]) -> AsyncGenerator[House]:
    database = await schema_of("notify")
    async with mail_server() as mail:
        settings = Settings(
            database_url=database.url,
            auth_jwks=SIGNER.jwks,
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            delivery_poll_seconds=0.2,
        )
        built = service(settings, SimulatedClock(RECEIVED), None)
        async with door(built) as http:
            yield House(built, http, mail)


async def test_what_was_sent_is_looked_at_by_complaint_status_and_purpose_page_by_page(house: House) -> None:
    of, other = facts(preferred_channel=Channel.SMS), facts(preferred_channel=Channel.EMAIL)
    await house.hear(contacts(of), contacts(other), received(of), resolved(of), told.survey(of), resolved(other))
    await house.settled(4)
    listed = await house.get("/v1/messages", complaint=str(of.complaint_id))
    assert {each["purpose"] for each in listed["data"]} == {"acknowledgement", "result", "survey"}
    assert {each["recipient"] for each in listed["data"]} == {"138****1234"}
    assert len((await house.get("/v1/messages", purpose="result", status="delivered"))["data"]) == 2
    assert (await house.get("/v1/messages", status="failed"))["data"] == []
    page = await house.get("/v1/messages", limit=3)
    rest = (await house.http.get(page["links"]["next"], headers=AGENT)).json()
    ids = [each["message_id"] for each in page["data"] + rest["data"]]
    assert len(ids) == len(set(ids)) == 4
    one = await house.get(f"/v1/messages/{ids[0]}")
    assert one["message_id"] == ids[0]
    assert "13812341234" not in str(listed) + str(one)
    assert "wang@" not in str(await house.get("/v1/messages"))
    assert len(house.mail.mails) == 1


async def test_a_failed_message_is_tried_again_by_a_lead_once_per_key(house: House) -> None:
    of = facts(preferred_channel=Channel.EMAIL)
    house.mail.answers = ["550 no"]
    await house.hear(contacts(of), received(of))
    (failed,) = await house.settled(1)
    path = f"/v1/messages/{failed['message_id']}/retry"
    assert (failed["status"], failed["reason"]) == ("failed", "550 no")
    assert (await house.http.post(path, headers=AGENT)).status_code == 403
    keyed = {**LEAD, "Idempotency-Key": "once"}
    assert (await house.http.post(path, headers=keyed)).status_code == 202
    (sent,) = await house.settled(1)
    assert (sent["status"], sent["attempts"]) == ("delivered", 1)
    again = await house.http.post(path, headers=keyed)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    refused = await house.http.post(path, headers=LEAD)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:message-not-failed")
    missing = await house.http.post(f"/v1/messages/{new_id()}/retry", headers=LEAD)
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:redress:problem:message-not-found")


async def test_notices_are_read_by_recipient(house: House) -> None:
    of = facts()
    await house.hear(contacts(of), received(of, priority=Priority.GENERAL))
    await house.settled(1)
    (notice,) = (await house.get("/v1/notices", recipient=str(of.customer.person_id)))["data"]
    assert notice["subject"] == "您反映的问题已受理,编号 C-20240510-000001"
    assert "60 分钟内会有专人与您联系" in notice["text"]
    assert (await house.get("/v1/notices", recipient="team:rd"))["data"] == []
    assert (await house.http.get("/v1/notices", headers=AGENT)).status_code == 422
    assert (await house.http.get("/v1/notices", headers=AGENT, params={"recipient": "a\x00"})).status_code == 422


async def test_a_preference_is_set_read_and_guarded_against_lost_updates(house: House) -> None:
    path = f"/v1/preferences/{new_id()}"
    before = await house.http.get(path, headers=AGENT)
    assert (before.json()["channel"], before.headers["ETag"]) == (None, '"0"')
    wished = {"channel": "email", "language": "en"}
    made = await house.http.put(path, headers={**AGENT, "If-Match": '"0"'}, json=wished)
    assert (made.status_code, made.headers["ETag"]) == (200, '"1"')
    lost = await house.http.put(path, headers={**AGENT, "If-Match": '"0"'}, json=wished)
    assert lost.status_code == 412
    assert {key: (await house.get(path))[key] for key in wished} == wished
    assert (await house.http.put(path, headers=AGENT, json={"channel": "pigeon"})).status_code == 422


async def test_a_template_of_ones_own_is_previewed_used_and_taken_out_again(house: House) -> None:
    path = "/v1/templates/progress/zh"
    listed = await house.get("/v1/templates")
    assert len(listed) == 22
    assert {each["version"] for each in listed} == {0}
    shown = await house.http.post(f"{path}/preview", headers=LEAD, json=OWN)
    assert shown.json()["subject"] == "进展 C-20240510-000001"
    assert (await house.http.post(f"{path}/preview", headers=LEAD)).json()["subject"] == "处理进展:C-20240510-000001"
    assert (await house.http.put(path, headers=LEAD, json=OWN)).status_code == 403
    put = await house.http.put(path, headers={**ADMIN, "If-Match": '"0"'}, json=OWN)
    assert (put.status_code, put.headers["ETag"], put.json()["changed_by"]) == (200, '"1"', "admin")
    assert (await house.http.put(path, headers={**ADMIN, "If-Match": '"0"'}, json=OWN)).status_code == 412
    of = facts(preferred_channel=Channel.SMS)
    await house.hear(contacts(of), told.progress(of, text="已修复"))
    (message,) = await house.settled(1)
    assert message["text"] == "短:已修复"
    assert (await house.http.delete(path, headers=ADMIN)).status_code == 204
    assert (await house.get(path))["version"] == 0
    gone = await house.http.delete(path, headers=ADMIN)
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:redress:problem:template-not-found")


@pytest.mark.parametrize(
    ("changed", "pointer", "why"),
    [
        ({"text": "{{ nobody }}"}, "/text", "unknown variables nobody"),
        ({"subject": "{% for x in number %}{% endfor %}"}, "/subject", "For is not allowed"),
        ({"html": "{{ number.__class__ }}"}, "/html", "Getattr is not allowed"),
        ({"text": ""}, "/text", "at least 1 character"),
        ({"text": "\x00"}, "/text", "control characters"),
    ],
)
async def test_a_template_that_cannot_be_used_is_refused_with_the_place_and_the_reason(
    house: House, changed: dict[str, Any], pointer: str, why: str
) -> None:
    for answer in (
        await house.http.put("/v1/templates/progress/zh", headers=ADMIN, json=OWN | changed),
        await house.http.post("/v1/templates/progress/zh/preview", headers=LEAD, json=OWN | changed),
    ):
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert why in error["detail"]


async def test_an_override_that_fails_on_real_values_gives_way_to_the_shipped_one(house: House) -> None:
    source = OWN | {"short": "{% if progress < 'a' %}{{ progress|length }}{% endif %}"}
    assert (await house.http.put("/v1/templates/progress/zh", headers=ADMIN, json=source)).status_code == 200
    async with house.service.database.session() as tx:
        await tx.execute(text("update templates set short = '{{ gone }}'"))
    of = facts(preferred_channel=Channel.SMS)
    await house.hear(contacts(of), told.progress(of, text="已修复"))
    (message,) = await house.settled(1)
    assert message["text"].startswith("【客户服务中心】您反映的问题")


@pytest.mark.parametrize(
    "path", ["/v1/messages", f"/v1/messages/{UUID(int=1)}", "/v1/notices?recipient=x", "/v1/templates"]
)
async def test_nothing_is_told_without_a_token(house: House, path: str) -> None:
    assert (await house.http.get(path)).status_code == 401
    assert (await house.http.get(path, headers=signed_in(Role.ADAPTER))).status_code == 403
