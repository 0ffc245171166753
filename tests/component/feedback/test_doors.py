"""feedback-service on a real PostgreSQL: from a resolution to the closing, by page and by API."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from feedback_service import domain
from feedback_service.events import CONSUMES
from feedback_service.main import service
from feedback_service.settings import Settings
from shared.clock import SimulatedClock
from shared.contracts import BY_TYPE, Event
from shared.contracts.vocabulary import CaseState, Language
from shared.service import Service
from shared.web.auth import Role
from tests.support.builders import at, erased, facts, moved, resolved
from tests.support.door import SIGNER, door, signed_in

AGENT = signed_in(Role.AGENT)
SECRET = "a secret of the tests"


class House:
    """The service, its clock, its client."""

    def __init__(self, built: Service, clock: SimulatedClock, http: httpx.AsyncClient) -> None:
        self.service, self.clock, self.http = built, clock, http

    async def hear(self, *events: Event) -> None:
        for event in events:
            async with self.service.database.session() as tx:
                await CONSUMES[type(event)]([event], tx, self.service.deps)

    async def told(self) -> list[Event]:
        async with self.service.database.reading() as tx:
            rows = await tx.execute(text("select type, payload from outbox order by id"))
            return [BY_TYPE[row.type].model_validate_json(row.payload) for row in rows]

    async def types(self) -> list[str]:
        return [type(event).__name__ for event in await self.told()]

    def link(self, complaint_id: Any, cycle: int = 1) -> str:
        return f"/s/{domain.token_of(domain.survey_id_of(complaint_id, cycle), SECRET)}"


@pytest.fixture
async def house(schema_of) -> AsyncGenerator[House]:
    database = await schema_of("feedback")
    clock = SimulatedClock(at(2.5))
    built = service(Settings(database_url=database.url, token_secret=SECRET, auth_jwks=SIGNER.jwks), clock, None)
    async with door(built) as http:
        yield House(built, clock, http)


async def test_a_resolution_brings_survey_and_visit_once_however_often_it_is_heard(house):
    event = resolved(facts())
    await house.hear(event, event)
    assert await house.types() == ["SurveyOfferedV1", "FollowUpPlannedV1", "FollowUpAssignedV1"]
    offered, planned, assigned = await house.told()
    assert offered.url.endswith(house.link(event.complaint_id))
    assert (planned.earliest_at, planned.due_at) == (at(26), at(74))
    assert assigned.assignee.staff_id == "agent-li"


@pytest.mark.parametrize(("language", "title"), [(Language.ZH, "服务满意度调查"), (Language.EN, "How did we do?")])
async def test_the_page_speaks_the_customers_language_and_a_get_records_nothing(house, language, title):
    of = facts(language=language)
    await house.hear(resolved(of))
    before = await house.types()
    shown = await house.http.get(house.link(of.complaint_id))
    assert shown.status_code == 200
    assert f"<title>{title}</title>" in shown.text
    assert 'name="viewport"' in shown.text
    assert shown.headers["cache-control"] == "no-store"
    await house.http.head(house.link(of.complaint_id))
    assert await house.types() == before


async def test_an_answer_on_the_page_is_recorded_once_and_the_first_one_stands(house):
    of = facts()
    await house.hear(resolved(of))
    answered = await house.http.post(house.link(of.complaint_id), data={"satisfaction": "5", "comment": "很快"})
    assert answered.status_code == 200
    assert "感谢您的反馈" in answered.text
    again = await house.http.post(house.link(of.complaint_id), data={"satisfaction": "1"})
    assert again.status_code == 409
    assert "您已提交过反馈" in again.text
    assert (await house.types()).count("SurveyAnsweredV1") == 1
    event = (await house.told())[-1]
    assert (event.satisfaction, event.satisfied, event.comment) == (5, True, "很快")
    assert event.actor.kind == "complainant"


async def test_not_satisfied_says_so_with_its_reasons(house):
    of = facts()
    await house.hear(resolved(of))
    sent = {"satisfaction": "2", "reasons": ["not_solved", "too_slow"], "comment": "又坏了"}
    answered = await house.http.post(house.link(of.complaint_id), data=sent)
    assert "重新分析处理" in answered.text
    assert (await house.types())[-2:] == ["SurveyAnsweredV1", "ComplainantDissatisfiedV1"]
    months = (await house.http.get("/v1/satisfaction", headers=AGENT)).json()
    assert months == [
        {
            "month": "2024-05",
            "answered": 1,
            "mean": 2.0,
            "satisfied_share": 0.0,
            "levels": {"2": 1},
            "reasons": {"not_solved": 1, "too_slow": 1},
        }
    ]


async def test_a_form_that_is_not_right_comes_back_with_what_was_given(house):
    of = facts()
    await house.hear(resolved(of))
    refused = await house.http.post(house.link(of.complaint_id), data={"comment": "<b>半年了</b>"})
    assert refused.status_code == 422
    assert "请先回答第一个问题" in refused.text
    assert "&lt;b&gt;半年了&lt;/b&gt;" in refused.text


async def test_a_link_that_is_wrong_or_too_old_gets_a_page_that_says_so(house):
    of = facts()
    await house.hear(resolved(of))
    assert (await house.http.get("/s/abc")).status_code == 404
    await house.clock.advance_to(at(2 + 14 * 24 + 1))
    assert (await house.http.get(house.link(of.complaint_id))).status_code == 410


async def test_an_agent_records_what_was_said_on_the_phone(house):
    of = facts()
    await house.hear(resolved(of))
    survey = (await house.http.get(f"/v1/surveys?complaint={of.complaint_id}", headers=AGENT)).json()["data"][0]
    path = f"/v1/surveys/{survey['survey_id']}/answer"
    body = {"answers": {"satisfaction": 4}, "occurred_at": at(2.2).isoformat()}
    key = AGENT | {"Idempotency-Key": "call-1"}
    first = await house.http.post(path, json=body, headers=key)
    second = await house.http.post(path, json=body, headers=key)
    assert first.status_code == 200
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert (await house.told())[-1].occurred_at == at(2.2)


async def test_a_visit_is_assigned_done_and_closes_the_loop(house):
    of = facts()
    await house.hear(resolved(of), moved(of, CaseState.RESOLVED, 4))
    await house.http.post(house.link(of.complaint_id), data={"satisfaction": "5"})
    open_ = (await house.http.get("/v1/follow-ups?open=true", headers=AGENT)).json()["data"]
    visit = f"/v1/follow-ups/{open_[0]['visit_id']}"
    assignee = {"assignee": {"staff_id": "agent-zhao", "name": "赵敏"}}
    assert (await house.http.post(f"{visit}/assignment", json=assignee, headers=AGENT)).status_code == 200
    early = await house.http.post(f"{visit}/done", json={"outcome": "satisfied"}, headers=AGENT)
    assert early.status_code == 409
    assert early.json()["type"] == "urn:redress:problem:follow-up-too-early"
    closing = {"complaint_id": str(of.complaint_id), "summary": "已修复并补偿", "other_wishes": "增加导出"}
    waits = await house.http.post("/v1/closings", json=closing, headers=AGENT)
    assert waits.json()["type"] == "urn:redress:problem:closing-needs-reason"
    await house.clock.advance_to(at(30))
    done = await house.http.post(f"{visit}/done", json={"outcome": "satisfied", "note": "正常"}, headers=AGENT)
    assert done.json()["status"] == "done"
    closed = await house.http.post("/v1/closings", json=closing, headers=AGENT)
    assert closed.status_code == 201
    assert (await house.types())[-2:] == ["FollowUpDoneV1", "ClosingSummaryWrittenV1"]
    assert (await house.http.post("/v1/closings", json=closing, headers=AGENT)).status_code == 409


async def test_the_visit_of_a_reopened_case_is_superseded_and_the_next_cycle_has_its_own(house):
    of = facts()
    await house.hear(resolved(of), moved(of, CaseState.RESOLVED, 4), moved(of, CaseState.REOPENED, 5, cycle=2))
    visit = (await house.http.get(f"/v1/follow-ups?complaint={of.complaint_id}", headers=AGENT)).json()["data"][0]
    assert visit["status"] == "superseded"
    refused = await house.http.post(
        f"/v1/follow-ups/{visit['visit_id']}/done", json={"outcome": "satisfied"}, headers=AGENT
    )
    assert refused.status_code == 409
    await house.hear(resolved(of, cycle=2, when=at(3)), moved(of, CaseState.RESOLVED, 7, cycle=2))
    open_ = (await house.http.get("/v1/follow-ups?open=true", headers=AGENT)).json()["data"]
    assert [each["cycle"] for each in open_] == [2]


async def test_lists_are_paged_without_gap_or_double(house):
    for number in range(5):
        house.clock._now += timedelta(minutes=1)
        await house.hear(resolved(facts(number=f"C-20240510-{number:06}")))
    seen, path = [], "/v1/surveys?limit=2"
    while path:
        answer = (await house.http.get(path, headers=AGENT)).json()
        seen += [survey["number"] for survey in answer["data"]]
        path = answer["links"]["next"]
    assert seen == [f"C-20240510-{number:06}" for number in (4, 3, 2, 1, 0)]


async def test_erasure_takes_the_words_and_leaves_the_levels(house):
    of = facts()
    await house.hear(resolved(of))
    await house.http.post(house.link(of.complaint_id), data={"satisfaction": "2", "comment": "我叫张三"})
    await house.hear(erased(of), resolved(of, cycle=2))
    async with house.service.database.reading() as tx:
        rows = (await tx.execute(text("select satisfaction, comment, facts::text from surveys order by cycle"))).all()
    assert [(row.satisfaction, row.comment) for row in rows] == [(2, ""), (None, None)]
    assert "138****1234" not in "".join(row.facts for row in rows)


async def test_only_staff_get_in_and_quality_may_read_but_not_write(house):
    assert (await house.http.get("/v1/surveys")).status_code == 401
    assert (await house.http.get("/v1/surveys", headers=signed_in(Role.ADAPTER))).status_code == 403
    quality = signed_in(Role.QUALITY)
    assert (await house.http.get("/v1/surveys", headers=quality)).status_code == 200
    body = {"complaint_id": str(facts().complaint_id), "summary": "x"}
    assert (await house.http.post("/v1/closings", json=body, headers=quality)).status_code == 403
