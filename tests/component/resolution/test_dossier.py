"""The live dossier (A3, A9): everything about one case in one answer, in a bounded number of statements."""

from typing import Any

from sqlalchemy import event as sa_event

from resolution_service.events import CONSUMES
from shared.contracts.envelope import Event
from shared.contracts.sla import ClockBreachedV1, ClockFulfilledV1, ClockPausedV1
from shared.contracts.vocabulary import ClockStatus, LinkRelation, Metric, Purpose
from shared.web.auth import Role
from tests.component.resolution import builders as b
from tests.component.resolution.conftest import RESULT, Desk
from tests.support.builders import at, erased, facts, received, resolved
from tests.support.web import signed_in


async def lived(desk: Desk) -> Any:
    """The case of 2024-05-10 with all that can happen to one; the clock then stands 32 hours after the receipt."""
    of, other = facts(), facts(number="C-20240510-000002")
    await desk.hear(*b.first_leg(of), b.team())
    await desk.until(1.1)
    case = of.complaint_id
    await desk.move(case, "in_progress", reason="开始排查")
    await desk.done(f"/v1/cases/{case}/findings", {"method": "reproduction", "nature": "fact", "text": "查询超时"})
    task = await desk.done(f"/v1/cases/{case}/transfers", {"team_id": "rnd", "ask": "请排查"})
    await desk.until(1.2)
    await desk.done(f"/v1/transfers/{task['task_id']}/answer", {"answer": "索引失效"})
    promise = {"text": "12:00恢复", "due_at": at(1.7).isoformat()}
    told = await desk.done(f"/v1/cases/{case}/progress", {"text": "预计12:00恢复", "promise": promise})
    await desk.until(1.7)
    await desk.done(f"/v1/promises/{told['promise']['promise_id']}/keep")
    measure = await desk.done(f"/v1/cases/{case}/measures", {"kind": "compensation", "text": "赠送一个月高级功能"})
    await desk.done(f"/v1/measures/{measure['measure_id']}/done")
    await desk.until(2.2)
    await desk.resolve(case, at=at(1.7).isoformat())
    await desk.until(32)
    done: dict[str, Any] = {"revision": 2, "kind": ClockFulfilledV1, "status": ClockStatus.FULFILLED}
    await desk.hear(
        b.message(of, 0.9, "什么时候能好?"),
        b.message(of, 0.95, "正在排查", inbound=False),
        b.note(of, 0.97),
        b.clock(of, Metric.FIRST_RESPONSE, 0.5, fulfilled=0.05, hours=0.05, **done),
        b.clock(of, Metric.FOLLOW_UP, 72, warn=60),
        b.clock(of, Metric.PERIODIC_UPDATE, 30, warn=29),
        b.escalated(of, 2),
        b.offered(of, 3),
        b.answered(of, 4),
        b.planned(of, 3),
        b.visit_assigned(of, 3.1),
        b.visit_assigned(of, 3.2, revision=2),
        b.visited(of, 30),
        b.summary(of, 31),
        b.outgoing(of, Purpose.RESULT, 2.3),
        b.outgoing(of, Purpose.ESCALATION, 2.3, audience="staff"),
        b.outgoing(of, Purpose.SURVEY, 3, failed=True),
        b.linked(of, other, 5, LinkRelation.RELATED_TO),
        b.linked(other, of, 6, LinkRelation.DUPLICATE_OF),
        b.action([of.complaint_id], 20),
        b.action_done([of.complaint_id], 25),
    )
    return of


async def test_the_dossier_shows_the_whole_case(desk: Desk) -> None:
    of = await lived(desk)
    dossier = await desk.dossier(of.complaint_id)
    assert (dossier["number"], dossier["state"], dossier["cycle"]) == (of.number, "closed", 1)
    assert dossier["state_label"] == {"zh": "已关闭", "en": "Closed"}
    assert [move["to"] for move in dossier["legal_moves"]] == ["reopened"]
    assert dossier["record"]["symptom"] == "订单管理系统查询近7天订单时加载失败"
    assert dossier["record"]["demands"][0]["text"] == "2小时内修复"
    assert dossier["classification"][0]["reasons"][0]["text"]["zh"] == "加载失败"
    assert dossier["assignment"][0]["agent"]["staff_id"] == "agent-li"
    assert dossier["findings"][0]["nature"] == "fact"
    assert [task["status"] for task in dossier["tasks"]] == ["answered"]
    assert [promise["status"] for promise in dossier["promises"]] == ["kept"]
    assert [measure["status"] for measure in dossier["measures"]] == ["done"]
    result = dossier["result"][0]
    assert {part: result[part] for part in RESULT} == RESULT
    assert result["resolved_at"] == "2024-05-10T04:02:00Z"
    assert dossier["survey"] == [
        {
            "survey_id": dossier["survey"][0]["survey_id"],
            "cycle": 1,
            "offered_at": "2024-05-10T05:20:00Z",
            "expires_at": "2024-05-13T05:20:00Z",
            "answered_at": "2024-05-10T06:20:00Z",
            "satisfaction": 5,
            "satisfied": True,
            "answers": {},
            "reasons": [],
            "comment": "处理很快",
        }
    ]
    (visit,) = dossier["visits"]
    assert (visit["means"], visit["assignee"]["staff_id"], visit["outcome"]) == ("phone", "agent-li", "satisfied")
    assert [(message["inbound"], message["status"], message["purpose"]) for message in dossier["messages"]] == [
        (False, "delivered", "acknowledgement"),
        (True, "on_thread", None),
        (False, "on_thread", None),
        (False, "delivered", "result"),
        (False, "failed", "survey"),
    ]
    assert dossier["escalations"][0]["role"] == "manager"
    assert dossier["closing"][0]["summary"] == "已解决并回访"
    assert [(link["number"], link["relation"], link["inbound"]) for link in dossier["links"]] == [
        ("C-20240510-000002", "related_to", False),
        ("C-20240510-000002", "duplicate_of", True),
    ]
    (action,) = dossier["actions"]
    assert (action["owner"]["staff_id"], action["done_at"]) == ("rnd-zhao", "2024-05-11T03:20:00Z")
    assert dossier["earlier"] == []


async def test_the_clocks_show_what_is_left_of_their_time(desk: Desk) -> None:
    of = await lived(desk)
    clocks = {clock["metric"]: clock for clock in (await desk.dossier(of.complaint_id, "clocks"))["clocks"]}
    assert clocks["first_response"]["remaining_seconds"] is None
    assert clocks["follow_up"]["remaining_seconds"] == 40 * 3600
    assert clocks["periodic_update"]["remaining_seconds"] == -2 * 3600


async def test_the_timeline_is_complete_ordered_and_bilingual(desk: Desk) -> None:
    of = await lived(desk)
    timeline = (await desk.dossier(of.complaint_id, "timeline"))["timeline"]
    told = [(item["occurred_at"][11:16], item["kind"]) for item in timeline if item["occurred_at"] < "2024-05-10T05"]
    assert told == [
        ("02:20", "complaint.received"),
        ("02:20", "clock.activated"),
        ("02:20", "clock.activated"),
        ("02:20", "clock.activated"),
        ("02:20", "clock.activated"),
        ("02:21", "complaint.classified"),
        ("02:21", "case.moved"),
        ("02:21", "complaint.assigned"),
        ("02:23", "message.delivered"),
        ("02:23", "clock.fulfilled"),
        ("03:14", "complaint.message-added"),
        ("03:17", "complaint.message-added"),
        ("03:18", "complaint.note-added"),
        ("03:26", "case.moved"),
        ("03:26", "case.investigation-recorded"),
        ("03:26", "transfer.opened"),
        ("03:32", "transfer.answered"),
        ("03:32", "promise.made"),
        ("03:32", "progress.told"),
        ("04:02", "promise.kept"),
        ("04:02", "measure.changed"),
        ("04:02", "measure.changed"),
        ("04:02", "case.resolved"),
        ("04:02", "case.moved"),
        ("04:20", "escalation.raised"),
        ("04:38", "message.delivered"),
        ("04:38", "message.delivered"),
    ]
    assert [item["kind"] for item in timeline if item["occurred_at"] >= "2024-05-10T05"] == [
        "survey.offered",
        "follow-up.planned",
        "message.failed",
        "follow-up.assigned",
        "follow-up.assigned",
        "survey.answered",
        "case.moved",
        "complaint.linked",
        "complaint.linked",
        "action.planned",
        "action.done",
        "follow-up.done",
        "closing.summary-written",
        "case.moved",
    ]
    assert all(item["label"]["zh"] and item["label"]["en"] and item["actor"]["id"] for item in timeline)
    texts = {item["kind"]: item["text"] for item in timeline}
    assert texts["complaint.received"] == "订单管理系统查询近7天订单时加载失败"
    assert texts["transfer.answered"] == "索引失效"
    assert texts["case.resolved"].splitlines() == list(RESULT.values())
    (started,) = [item for item in timeline if item["details"].get("to_state") == "in_progress"]
    assert (started["label"]["zh"], started["text"], started["actor"]["id"]) == (
        "状态:已评估 → 处理中",
        "开始排查",
        "agent-li",
    )
    assert "secret" not in str(timeline)


async def test_only_the_parts_that_are_asked_for_are_shown(desk: Desk) -> None:
    of = await lived(desk)
    dossier = await desk.dossier(of.complaint_id, "clocks,survey")
    shown = {name for name, value in dossier.items() if isinstance(value, list)}
    assert shown == {"clocks", "survey", "legal_moves"}
    assert (await desk.client.get(f"/v1/cases/{of.complaint_id}?include=clocks,secrets")).status_code == 422


async def test_the_whole_dossier_costs_a_bounded_number_of_statements(desk: Desk) -> None:
    of = await lived(desk)
    counted: list[str] = []
    engine = desk.made.database.engine.sync_engine
    sa_event.listen(engine, "before_cursor_execute", lambda _, __, statement, *___: counted.append(statement))
    await desk.dossier(of.complaint_id)
    assert len(counted) == 10


async def test_earlier_complaints_of_the_same_person_and_their_results_are_in_view(desk: Desk) -> None:
    of = await desk.in_progress()
    await desk.resolve(of.complaint_id)
    later = facts(
        person_id=of.customer.person_id, number="C-20240512-000007", received_at=at(48), organisation=of.organisation
    )
    await desk.hear(received(later))
    (earlier,) = (await desk.dossier(later.complaint_id, "earlier"))["earlier"]
    assert (earlier["number"], earlier["state"]) == (of.number, "resolved")
    assert earlier["result"] == RESULT
    assert (await desk.dossier(of.complaint_id, "earlier"))["earlier"] == []


async def test_a_dossier_whose_first_events_have_not_come_yet_still_reads(desk: Desk) -> None:
    of = facts()
    heard: list[Event] = [b.answered(of, 4), b.visited(of, 30), b.action_done([of.complaint_id], 20), b.summary(of, 31)]
    await desk.hear(*heard)
    dossier = await desk.dossier(of.complaint_id)
    assert (dossier["record"], dossier["state"], dossier["actions"]) == (None, "received", [])
    assert dossier["survey"][0]["offered_at"] is None
    assert dossier["visits"][0]["outcome"] == "satisfied"


async def test_an_erased_persons_dossier_keeps_the_facts_alone(desk: Desk) -> None:
    of = await lived(desk)
    await desk.hear(erased(of))
    answer = await desk.client.get(f"/v1/cases/{of.complaint_id}")
    dossier = answer.json()
    assert (dossier["state"], dossier["customer"]["display"], dossier["organisation"]) == ("closed", "", None)
    assert dossier["survey"][0]["satisfaction"] == 5
    for words in ("订单管理系统查询", "处理很快", "查询超时", "索引失效", "12:00恢复", "王女士", "138****1234"):
        assert words not in answer.text


async def test_the_words_of_another_services_clock_story_are_kept(desk: Desk) -> None:
    of = await desk.in_progress()
    await desk.hear(
        b.clock(
            of,
            Metric.RESOLUTION,
            2,
            revision=2,
            kind=ClockPausedV1,
            hours=1,
            status=ClockStatus.PAUSED,
            reason="waiting for the customer",
        ),
        b.clock(
            of,
            Metric.FIRST_RESPONSE,
            0.5,
            revision=2,
            kind=ClockBreachedV1,
            hours=0.5,
            breached=0.5,
            detected_at=at(0.5),
        ),
    )
    items = {item["kind"]: item for item in (await desk.dossier(of.complaint_id))["timeline"]}
    assert items["clock.paused"]["text"] == "waiting for the customer"
    assert items["clock.breached"]["occurred_at"] == "2024-05-10T02:50:00Z"


async def test_a_quality_manager_reads_and_an_adapter_does_not(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}"
    assert (await desk.client.get(path, headers=signed_in(Role.QUALITY))).status_code == 200
    assert (await desk.client.get(path, headers=signed_in(Role.ADAPTER))).status_code == 403


def test_events_that_the_service_publishes_are_not_heard_by_itself() -> None:
    assert type(resolved(facts())) not in CONSUMES
