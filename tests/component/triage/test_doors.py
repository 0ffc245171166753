"""Triage's HTTP door: look, override, assign by hand, edit the taxonomy and the roster, the work list."""

from typing import Any

import httpx
import pytest

from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, TeamChangedV1
from shared.contracts.vocabulary import CaseState, Kind, Urgency
from shared.ids import new_id
from tests.component.triage.town import ADMIN, AGENT, LEAD, MANAGER, QUALITY, Town, move, text_of
from tests.support.builders import erased, facts, received

NOBODY: dict[str, str] = {}


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:redress:problem:{slug}"
    return document


async def test_the_classification_shows_its_reasons_in_both_languages_and_its_revision(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    answer = await town.http.get(f"/v1/complaints/{complaint.complaint_id}/classification", headers=QUALITY)
    shown = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert (shown["kind"], shown["issue_type"], shown["urgency"]) == ("complaint", "product.function", "medium")
    assert {"rule", "weight", "text"} == shown["reasons"][0].keys()
    assert "部分功能故障" in [reason["text"]["zh"] for reason in shown["reasons"]]
    assert [revision["by"] for revision in shown["history"]] == ["rules"]


async def test_an_override_by_hand_is_a_new_revision_with_its_reason_kept_and_told(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    await town.told()
    path = f"/v1/complaints/{complaint.complaint_id}/classification"
    body = {"urgency": "high", "kind": "after_sales", "reason": "所有门店都受影响"}
    answer = await town.http.post(path, json=body, headers={**AGENT, "If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == '"2"'
    (told,) = await town.told()
    assert isinstance(told, ComplaintClassifiedV1)
    assert (told.revision, told.facts.urgency_revision, told.facts.urgency) == (2, 2, Urgency.HIGH)
    assert (told.kind, told.issue_type, told.by) == (Kind.AFTER_SALES, "product.function", "hand")
    assert (told.confidence, told.override_reason, told.actor.id) == (1.0, "所有门店都受影响", "agent-li")
    shown = await town.classification(complaint.complaint_id)
    assert [revision["revision"] for revision in shown["history"]] == [2, 1]
    assert (await town.assignment(complaint.complaint_id))["revision"] == 1


async def test_of_two_overrides_of_one_revision_the_second_is_refused(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    path = f"/v1/complaints/{complaint.complaint_id}/classification"
    headers = {**AGENT, "If-Match": '"1"'}
    assert (await town.http.post(path, json={"urgency": "high", "reason": "一"}, headers=headers)).status_code == 200
    late = await town.http.post(path, json={"urgency": "low", "reason": "二"}, headers=headers)
    problem(late, 412, "precondition-failed")
    assert (await town.classification(complaint.complaint_id))["urgency"] == "high"


async def test_an_override_with_the_same_idempotency_key_happens_once(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    path = f"/v1/complaints/{complaint.complaint_id}/classification"
    headers = {**AGENT, "Idempotency-Key": "once"}
    first = await town.http.post(path, json={"urgency": "high", "reason": "门店停业"}, headers=headers)
    again = await town.http.post(path, json={"urgency": "high", "reason": "门店停业"}, headers=headers)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await town.classification(complaint.complaint_id))["revision"] == 2


async def test_an_override_may_ask_for_whom_the_new_classification_calls_for(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    await town.told()
    body = {"urgency": "high", "reason": "业务已停", "assign_anew": True}
    path = f"/v1/complaints/{complaint.complaint_id}/classification"
    assert (await town.http.post(path, json=body, headers=AGENT)).status_code == 200
    classified, assigned = await town.told()
    assert isinstance(classified, ComplaintClassifiedV1)
    assert isinstance(assigned, ComplaintAssignedV1)
    assert (assigned.team_id, assigned.revision, assigned.facts.urgency_revision) == ("senior-engineers", 2, 2)
    assert (await town.load("he.jun"), await town.load("ding.ning")) == (0, 1)


async def test_a_code_that_the_taxonomy_does_not_have_is_refused_with_its_pointer(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    path = f"/v1/complaints/{complaint.complaint_id}/classification"
    refused = await town.http.post(path, json={"issue_type": "weather", "reason": "天气"}, headers=AGENT)
    assert problem(refused, 422, "unknown-code")["errors"][0]["pointer"] == "/issue_type"


async def test_an_unknown_complaint_is_not_found(town: Town) -> None:
    for path in ("classification", "assignment"):
        for answer in (
            await town.http.get(f"/v1/complaints/{new_id()}/{path}", headers=AGENT),
            await town.http.post(f"/v1/complaints/{new_id()}/{path}", json={"reason": "无"}, headers=AGENT),
        ):
            problem(answer, 404, "complaint-not-assessed")


async def test_a_case_is_handed_to_another_agent_with_the_reason_kept(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    await town.told()
    path = f"/v1/complaints/{complaint.complaint_id}/assignment"
    body = {"agent_id": "oliver.hart", "reason": "熟悉该客户"}
    answer = await town.http.post(path, json=body, headers={**LEAD, "If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    (told,) = await town.told()
    assert isinstance(told, ComplaintAssignedV1)
    assert (told.revision, told.team_id, told.by) == (2, "engineers", "hand")
    assert (told.agent and told.agent.staff_id, told.override_reason) == ("oliver.hart", "熟悉该客户")
    assert (await town.load("he.jun"), await town.load("oliver.hart")) == (0, 1)
    shown = await town.assignment(complaint.complaint_id)
    assert [(given["revision"], given["agent_id"]) for given in shown["history"]] == [(2, "oliver.hart"), (1, "he.jun")]
    late = await town.http.post(path, json=body, headers={**LEAD, "If-Match": '"1"'})
    problem(late, 412, "precondition-failed")


async def test_a_case_given_to_a_team_goes_to_its_least_loaded_agent(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    path = f"/v1/complaints/{complaint.complaint_id}/assignment"
    answer = await town.http.post(path, json={"team_id": "senior-engineers", "reason": "升级"}, headers=LEAD)
    assert answer.json()["agent_id"] == "ding.ning"


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"agent_id": "nobody"}, "unknown-agent"),
        ({"team_id": "nowhere"}, "unknown-team"),
        ({"team_id": "brand", "agent_id": "he.jun"}, "unknown-agent"),
        ({}, "unknown-team"),
    ],
)
async def test_an_assignment_to_nobody_is_refused(town: Town, body: dict[str, str], slug: str) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    path = f"/v1/complaints/{complaint.complaint_id}/assignment"
    problem(await town.http.post(path, json={**body, "reason": "换人"}, headers=LEAD), 422, slug)


async def test_an_ended_case_is_not_assigned_any_more(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint), move(complaint, CaseState.CLOSED, 5, CaseState.CONFIRMED))
    path = f"/v1/complaints/{complaint.complaint_id}/assignment"
    refused = await town.http.post(path, json={"agent_id": "ye.chen", "reason": "换人"}, headers=LEAD)
    problem(refused, 409, "case-ended")


async def test_the_reasons_of_people_go_with_an_erasure(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    for part in ("classification", "assignment"):
        body = {"reason": "张女士来电说很急"} | ({"team_id": "senior-engineers"} if part == "assignment" else {})
        path = f"/v1/complaints/{complaint.complaint_id}/{part}"
        assert (await town.http.post(path, json=body, headers=AGENT)).status_code == 200
    await town.hear(erased(complaint))
    assert "张女士" not in text_of([await town.rows(name) for name in ("classifications", "assignments", "cases")])


async def test_a_dry_run_says_what_a_text_would_be_and_why_and_keeps_nothing(town: Town) -> None:
    body = {"symptom": "Payment is down", "demands": ["Fix it within the hour"], "priority": "urgent"}
    verdict = (await town.http.post("/v1/classify", json=body, headers=AGENT)).json()
    assert (verdict["urgency"], verdict["issue_type"]) == ("high", "product.function")
    assert verdict["confidences"].keys() == {"kind", "issue", "urgency", "responsible", "emotion"}
    assert verdict["reasons"][0]["rule"] == "payment-down"
    assert await town.rows("cases") == []


async def test_the_work_list_is_by_urgency_and_age_page_by_page(town: Town) -> None:
    low, high, medium = (facts(number=f"C-20240510-00000{n}") for n in (1, 2, 3))
    await town.hear_list(
        [
            received(low, symptom="怎么改名称", impact="", demands=(), priority="general"),
            received(high, symptom="支付失败"),
            received(medium),
        ]
    )
    first = await town.get("/v1/queue?limit=2")
    assert [entry["urgency"] for entry in first["data"]] == ["high", "medium"]
    assert first["data"][0]["customer"] == "138****1234"
    rest = await town.get(first["links"]["next"])
    assert [entry["complaint_id"] for entry in rest["data"]] == [str(low.complaint_id)]
    assert rest["links"]["next"] is None
    mine = await town.get("/v1/queue?agent=he.jun")
    assert [entry["complaint_id"] for entry in mine["data"]] == [str(medium.complaint_id)]
    theirs = await town.get("/v1/queue?team=senior-engineers")
    assert [entry["complaint_id"] for entry in theirs["data"]] == [str(high.complaint_id)]
    problem(await town.http.get("/v1/queue?cursor=abc", headers=AGENT), 400, "bad-cursor")


async def test_the_taxonomy_is_shown_in_the_language_asked_for(town: Town) -> None:
    english = (await town.get("/v1/taxonomy?lang=en&dimension=issue"))["data"]
    attitude = next(entry for entry in english if entry["code"] == "service.attitude")
    assert (attitude["text"], attitude["parent"], attitude["label"]["zh"]) == ("Attitude", "service", "服务态度")
    assert {entry["dimension"] for entry in (await town.get("/v1/taxonomy"))["data"]} == {
        "kind", "issue", "urgency", "responsible", "emotion"
    }  # fmt: skip


async def test_a_new_issue_type_with_keywords_is_used_from_the_next_complaint_on(town: Town) -> None:
    entry = {
        "label": {"zh": "开票", "en": "Invoicing"},
        "responsible": "finance",
        "keywords": ["发票抬头", "invoice title"],
    }
    answer = await town.http.put("/v1/taxonomy/issue/price.invoice", json=entry, headers=ADMIN)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    complaint = facts()
    await town.hear(received(complaint, symptom="发票抬头写成了别的公司", impact="", demands=()))
    shown = await town.classification(complaint.complaint_id)
    assert (shown["issue_type"], shown["responsible"]) == ("price.invoice", "finance")
    late = await town.http.put("/v1/taxonomy/issue/price.invoice", json=entry, headers={**ADMIN, "If-Match": '"7"'})
    problem(late, 412, "precondition-failed")


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("kind/praise", {}),
        ("urgency/high", {"active": False}),
        ("issue/other", {"active": False}),
        ("issue/weather.rain", {}),
        ("issue/weather", {"responsible": "nobody"}),
        ("responsible/legal", {"responsible": "rnd"}),
    ],
)
async def test_an_entry_that_would_break_the_matrix_is_refused(town: Town, path: str, changes: dict[str, Any]) -> None:
    entry = {"label": {"zh": "甲", "en": "A"}, **changes}
    problem(await town.http.put(f"/v1/taxonomy/{path}", json=entry, headers=ADMIN), 422, "entry-not-allowed")


async def test_a_changed_team_is_told_with_its_members_at_its_next_revision(town: Town) -> None:
    team = next(team for team in (await town.get("/v1/teams"))["data"] if team["team_id"] == "rnd")
    body = {
        "name": {"zh": "研发中心", "en": "R&D"},
        "kind": "department",
        "manager": {"staff_id": "wu.di", "name": "吴迪"},
    }
    answer = await town.http.put("/v1/teams/rnd", json=body, headers={**MANAGER, "If-Match": f'"{team["revision"]}"'})
    assert answer.status_code == 200, answer.text
    (told,) = await town.told()
    assert isinstance(told, TeamChangedV1)
    assert (told.revision, told.name.zh, told.contact) == (2, "研发中心", None)
    assert told.manager is not None
    assert told.manager.staff_id == "wu.di"
    assert [member.staff_id for member in told.members] == ["luo.feng"]
    stale = await town.http.put("/v1/teams/rnd", json=body, headers={**MANAGER, "If-Match": '"1"'})
    problem(stale, 412, "precondition-failed")


async def test_an_agent_who_changes_teams_changes_both(town: Town) -> None:
    body = {"name": "叶晨", "teams": ["senior-engineers"], "skills": ["product"], "languages": ["zh"]}
    assert (await town.http.put("/v1/agents/ye.chen", json=body, headers=LEAD)).status_code == 200
    told = {event.team_id: event for event in await town.told() if isinstance(event, TeamChangedV1)}
    assert told.keys() == {"engineers", "senior-engineers"}
    assert "ye.chen" not in [member.staff_id for member in told["engineers"].members]
    unknown = await town.http.put("/v1/agents/ye.chen", json={**body, "teams": ["nowhere"]}, headers=LEAD)
    problem(unknown, 422, "unknown-team")


async def test_who_may_do_what(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    path = f"/v1/complaints/{complaint.complaint_id}/classification"
    entry = {"label": {"zh": "甲", "en": "A"}}
    team = {"name": {"zh": "甲", "en": "A"}, "kind": "team"}
    refused = [
        await town.http.get(path, headers=NOBODY),
        await town.http.post(path, json={"reason": "看看"}, headers=QUALITY),
        await town.http.put("/v1/taxonomy/issue/new", json=entry, headers=MANAGER),
        await town.http.put("/v1/teams/new", json=team, headers=LEAD),
        await town.http.put("/v1/agents/new", json={}, headers=AGENT),
    ]
    assert [answer.status_code for answer in refused] == [401, 403, 403, 403, 403]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/classify", {"symptom": "a\x00b"}),
        ("POST", "/v1/classify", {"symptom": "x" * 10_001}),
        ("PUT", "/v1/taxonomy/issue/new", {"label": {"zh": "甲", "en": "A"}, "position": 10**30}),
        ("PUT", "/v1/teams/new", {"name": {"zh": "\x00", "en": "A"}, "kind": "team"}),
        ("PUT", "/v1/agents/new", {"name": "甲", "teams": [], "languages": ["zh"], "email": "a\x00@b"}),
        ("GET", "/v1/queue?team=%00", None),
        ("GET", "/v1/complaints/not-a-uuid/classification", None),
        ("PUT", "/v1/taxonomy/issue/%00", {"label": {"zh": "甲", "en": "A"}}),
    ],
)
async def test_what_is_out_of_bounds_is_a_problem_of_the_caller(town: Town, method: str, path: str, body: Any) -> None:
    problem(await town.http.request(method, path, json=body, headers=ADMIN), 422, "invalid")
