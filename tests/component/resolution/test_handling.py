"""Commands: what may be ordered, what is refused and how, and what is told."""

import asyncio
import json
from typing import Any

from sqlalchemy import text

from shared.contracts.envelope import Bilingual
from shared.ids import new_id
from shared.web.auth import Role
from tests.component.resolution import builders as b
from tests.component.resolution.conftest import RESULT, Desk
from tests.support.builders import at, facts, received


async def told(desk: Desk) -> list[dict[str, Any]]:
    """What was published so far, and is then taken away."""
    async with desk.deps.session() as tx:
        found = (await tx.execute(text("delete from outbox returning id, type, payload"))).all()
    return [
        {"type": row.type.removeprefix("redress.").removesuffix(".v1"), **json.loads(row.payload)}
        for row in sorted(found, key=lambda row: row.id)
    ]


async def test_the_whole_happy_case_goes_from_received_to_closed(desk: Desk) -> None:
    of = await desk.in_progress()
    case = of.complaint_id
    await told(desk)
    await desk.resolve(case)
    await desk.hear(b.answered(of, 5), b.visited(of, 30), b.summary(of, 31))
    events = await told(desk)
    assert [event["type"] for event in events] == ["case.resolved", "case.moved", "case.moved", "case.moved"]
    assert [event["to_state"] for event in events if event["type"] == "case.moved"] == [
        "resolved",
        "confirmed",
        "closed",
    ]
    assert [event["revision"] for event in events if event["type"] == "case.moved"] == [3, 4, 5]
    assert events[0]["result"]["compensation"] == "赠送一个月高级功能"
    assert events[0]["agent"]["staff_id"] == "agent-li"
    assert await desk.state(case) == "closed"


async def test_every_event_names_who_did_it_and_when_it_was_done_and_recorded(desk: Desk) -> None:
    of = facts()
    await desk.hear(received(of))
    await desk.move(of.complaint_id, "in_progress", occurred_at=at(0.5).isoformat())
    (moved,) = await told(desk)
    assert moved["actor"] == {"kind": "person", "id": "agent-li", "name": "agent-li"}
    assert (moved["occurred_at"], moved["recorded_at"]) == ("2024-05-10T02:50:00Z", "2024-05-10T03:20:00Z")
    assert moved["facts"]["number"] == of.number


async def test_an_illegal_move_is_refused_with_the_legal_ones(desk: Desk) -> None:
    of = await desk.in_progress()
    refused = await desk.post(f"/v1/cases/{of.complaint_id}/moves", {"to": "closed"})
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["type"] == "urn:redress:problem:illegal-move"
    assert problem["state"] == "in_progress"
    assert {(move["to"], move["cause"]) for move in problem["legal"]} == {
        ("waiting_customer", "by_hand"),
        ("waiting_third_party", "by_hand"),
        ("resolved", "result"),
        ("withdrawn", "by_hand"),
        ("rejected", "by_hand"),
        ("merged", "link"),
    }


async def test_resolving_by_a_plain_move_is_refused_and_says_how_it_goes(desk: Desk) -> None:
    of = await desk.in_progress()
    refused = await desk.post(f"/v1/cases/{of.complaint_id}/moves", {"to": "resolved"})
    assert refused.status_code == 409
    assert "POST /v1/cases/{id}/resolution" in refused.json()["detail"]


async def test_a_result_that_lacks_parts_is_refused_and_names_them(desk: Desk) -> None:
    of = await desk.in_progress()
    refused = await desk.post(
        f"/v1/cases/{of.complaint_id}/resolution", {"cause": "索引失效", "measures": "  ", "compensation": "无"}
    )
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:redress:problem:result-incomplete"
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/measures", "/improvement"]
    assert await desk.state(of.complaint_id) == "in_progress"


async def test_only_work_in_progress_can_be_resolved(desk: Desk) -> None:
    of = facts()
    await desk.hear(*b.first_leg(of))
    refused = await desk.post(f"/v1/cases/{of.complaint_id}/resolution", RESULT)
    assert (refused.status_code, refused.json()["state"]) == (409, "assessed")


async def test_asking_the_customer_needs_the_question_which_goes_out_and_the_answer_brings_the_case_back(
    desk: Desk,
) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/moves"
    refused = await desk.post(path, {"to": "waiting_customer"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/question")
    await told(desk)
    await desk.done(path, {"to": "waiting_customer", "question": "请问是哪个店铺?"})
    asked, moved = await told(desk)
    assert (asked["type"], asked["text"]) == ("progress.told", "请问是哪个店铺?")
    assert moved["to_state"] == "waiting_customer"
    await desk.hear(b.message(of, 0.5, "早先的消息"))
    assert await desk.state(of.complaint_id) == "waiting_customer"
    await desk.hear(b.message(of, 1.5, "旗舰店"))
    assert await desk.state(of.complaint_id) == "in_progress"
    (back,) = await told(desk)
    assert (back["from_state"], back["to_state"], back["occurred_at"]) == (
        "waiting_customer",
        "in_progress",
        "2024-05-10T03:50:00Z",
    )


async def test_a_question_that_was_answered_before_it_was_written_down_does_not_keep_the_case_waiting(
    desk: Desk,
) -> None:
    of = await desk.in_progress()
    await desk.hear(b.message(of, 1.5, "旗舰店"))
    await desk.until(2)
    await told(desk)
    await desk.move(of.complaint_id, "waiting_customer", question="请问是哪个店铺?", occurred_at=at(1.2).isoformat())
    assert await desk.state(of.complaint_id) == "in_progress"
    assert [event["to_state"] for event in await told(desk) if event["type"] == "case.moved"] == [
        "waiting_customer",
        "in_progress",
    ]


async def test_an_instant_in_the_future_or_before_what_it_follows_is_refused(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/moves"
    for hours in (1.01, 0.99, -1):
        refused = await desk.post(
            path, {"to": "waiting_third_party", "reason": "研发", "occurred_at": at(hours).isoformat()}
        )
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:redress:problem:bad-instant")
        assert refused.json()["errors"][0]["pointer"] == "/occurred_at"


async def test_withdrawing_and_rejecting_need_a_reason(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/moves"
    for to in ("withdrawn", "rejected", "waiting_third_party"):
        refused = await desk.post(path, {"to": to})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
    await desk.done(path, {"to": "withdrawn", "reason": "客户来电撤回"})
    assert await desk.state(of.complaint_id) == "withdrawn"
    refused = await desk.post(f"/v1/cases/{of.complaint_id}/findings", FINDING)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:case-not-open")


FINDING = {"method": "reproduction", "nature": "fact", "text": "近7天订单查询超时"}


async def test_after_a_reopening_the_case_must_be_analysed_again_before_it_is_resolved(desk: Desk) -> None:
    of = await desk.in_progress()
    case = of.complaint_id
    await desk.done(f"/v1/cases/{case}/findings", FINDING)
    await desk.resolve(case)
    await desk.until(10)
    await desk.hear(b.answered(of, 5, 1), b.dissatisfied(of, 5), b.dissatisfied(of, 6))
    dossier = await desk.dossier(case)
    assert (dossier["state"], dossier["cycle"], dossier["reopened"]) == ("reopened", 2, 1)
    await desk.move(case, "in_progress")
    refused = await desk.post(f"/v1/cases/{case}/resolution", RESULT)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:not-analysed-again")
    await desk.done(f"/v1/cases/{case}/findings", FINDING)
    await desk.resolve(case)
    await desk.hear(b.answered(of, 12, 5, cycle=2), b.summary(of, 13, 1))
    assert await desk.state(case) == "confirmed"
    await desk.hear(b.summary(of, 13, 2))
    assert await desk.state(case) == "closed"
    assert [one["cycle"] for one in (await desk.dossier(case, "result"))["result"]] == [2, 1]


async def test_a_transfer_is_opened_to_a_department_of_the_roster_and_answered_once(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/transfers"
    refused = await desk.post(path, {"team_id": "rnd", "ask": "请排查"})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:redress:problem:unknown-team")
    await desk.hear(b.team(), b.team("product", Bilingual(zh="产品部", en="Product")))
    refused = await desk.post(path, {"team_id": "sales", "ask": "请排查"})
    assert (refused.json()["known"], refused.json()["errors"][0]["pointer"]) == (["product", "rnd"], "/team_id")
    await told(desk)
    task = await desk.done(path, {"team_id": "rnd", "ask": "请排查"})
    (opened,) = await told(desk)
    assert (opened["type"], opened["team_name"]["zh"], opened["contact"]["staff_id"]) == (
        "transfer.opened",
        "研发部",
        "rnd-zhao",
    )
    assert (await desk.get("/v1/transfers", team="rnd", open=True))["data"] == [task]
    answered = await desk.done(f"/v1/transfers/{task['task_id']}/answer", {"answer": "索引失效"}, by="rnd-zhao")
    assert (answered["status"], answered["ended_by"]["id"]) == ("answered", "rnd-zhao")
    assert [event["type"] for event in await told(desk)] == ["transfer.answered"]
    for order in ("answer", "cancel"):
        refused = await desk.post(
            f"/v1/transfers/{task['task_id']}/{order}", {"answer" if order == "answer" else "reason": "再答"}
        )
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:transfer-not-open")
    assert (await desk.get("/v1/transfers", team="rnd", open=True))["data"] == []
    assert len((await desk.get("/v1/transfers", open=False))["data"]) == 1


async def test_a_transfer_to_an_outside_partner_names_its_contact_and_may_let_the_case_wait(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/transfers"
    refused = await desk.post(path, {"ask": "请确认物流"})
    assert refused.json()["errors"][0]["pointer"] == "/team_id"
    task = await desk.done(
        path, {"contact": {"name": "顺风物流", "email": "ops@example.com"}, "ask": "请确认物流", "wait": True}
    )
    assert (task["team_id"], task["contact"]["email"]) == ("outside", "ops@example.com")
    assert [event["external"] for event in await told(desk) if event["type"] == "transfer.opened"] == [True]
    assert await desk.state(of.complaint_id) == "waiting_third_party"
    refused = await desk.post(path, {"contact": {"name": "顺风物流"}, "ask": "请确认物流", "wait": True})
    assert refused.json()["type"] == "urn:redress:problem:illegal-move"
    await desk.done(f"/v1/transfers/{task['task_id']}/cancel", {"reason": "已自行查明"})
    await desk.move(of.complaint_id, "in_progress")


async def test_a_promise_lies_in_the_future_and_is_tracked_until_it_is_kept_or_withdrawn(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/promises"
    refused = await desk.post(path, {"text": "12:00前修复", "due_at": at(1).isoformat()})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/due_at")
    first = await desk.done(path, {"text": "12:00前修复", "due_at": at(1.7).isoformat()})
    second = await desk.done(path, {"text": "明天回电", "due_at": at(24).isoformat()})
    kept = await desk.done(f"/v1/promises/{first['promise_id']}/keep")
    withdrawn = await desk.done(f"/v1/promises/{second['promise_id']}/withdraw", {"reason": "改为邮件"})
    assert (kept["status"], withdrawn["status"], withdrawn["reason"]) == ("kept", "withdrawn", "改为邮件")
    refused = await desk.post(f"/v1/promises/{first['promise_id']}/keep", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:promise-not-open")


async def test_progress_keeps_one_promise_and_makes_the_next(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/progress"
    await told(desk)
    first = await desk.done(
        path, {"text": "预计12:00恢复", "promise": {"text": "12:00恢复", "due_at": at(1.7).isoformat()}}
    )
    made, progress = await told(desk)
    assert (made["type"], progress["type"]) == ("promise.made", "progress.told")
    assert progress["promise_id"] == made["promise_id"] == first["promise"]["promise_id"]
    await desk.until(1.6)
    second = await desk.done(path, {"text": "已恢复", "keeps": made["promise_id"]})
    assert [event["type"] for event in await told(desk)] == ["promise.kept", "progress.told"]
    assert second["kept"] == made["promise_id"]
    other = await desk.in_progress()
    refused = await desk.post(f"/v1/cases/{other.complaint_id}/progress", {"text": "x", "keeps": made["promise_id"]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/keeps")


async def test_money_over_the_limit_waits_for_another_persons_approval_and_the_result_waits_with_it(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/measures"

    async def propose(amount: int | None, currency: str = "CNY", kind: str = "compensation", **rest: Any) -> Any:
        money = None if amount is None else {"amount_minor": amount, "currency": currency}
        return await desk.done(path, {"kind": kind, "text": "赔偿", "amount": money}, **rest)

    assert (await propose(None))["status"] == "proposed"
    assert (await propose(50_000))["status"] == "proposed"
    assert (await propose(100, "USD"))["status"] == "awaiting_approval"
    assert (await propose(50_001, kind="repair"))["status"] == "proposed"
    own = await propose(50_001, role=Role.MANAGER, by="manager-chen")
    assert own["status"] == "awaiting_approval"
    decide = f"/v1/measures/{own['measure_id']}/approval"
    for role, by, status, slug in (
        (Role.AGENT, "agent-wu", 403, "forbidden"),
        (Role.LEAD, "lead-sun", 403, "forbidden"),
        (Role.MANAGER, "manager-chen", 403, "four-eyes"),
    ):
        refused = await desk.post(decide, {"approve": True}, role=role, by=by)
        assert (refused.status_code, refused.json()["type"]) == (status, f"urn:redress:problem:{slug}")
    refused = await desk.post(f"/v1/measures/{own['measure_id']}/done")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:measure-status-forbids")
    refused = await desk.post(f"/v1/cases/{of.complaint_id}/resolution", RESULT)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:approval-pending")
    assert own["measure_id"] in refused.json()["measures"]
    approved = await desk.done(decide, {"approve": True}, role=Role.MANAGER, by="manager-qian")
    assert (approved["status"], approved["decided_by"]["id"], approved["revision"]) == ("approved", "manager-qian", 2)
    refused = await desk.post(decide, {"approve": True}, role=Role.MANAGER, by="manager-qian")
    assert refused.status_code == 409
    assert (await desk.done(f"/v1/measures/{own['measure_id']}/done"))["status"] == "done"


async def test_a_refusal_says_why_and_what_was_refused_is_no_part_of_the_solution(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/measures"
    asked = await desk.done(path, {"kind": "refund", "text": "退款", "amount": {"amount_minor": 60_000}})
    await desk.done(path, {"kind": "repair", "text": "重建索引"})
    decide = f"/v1/measures/{asked['measure_id']}/approval"
    refused = await desk.post(decide, {"approve": False}, role=Role.MANAGER, by="manager-qian")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
    body = {"approve": False, "reason": "不符合标准"}
    assert (await desk.done(decide, body, role=Role.MANAGER, by="manager-qian"))["status"] == "refused"
    await told(desk)
    await desk.resolve(of.complaint_id)
    assert (await told(desk))[0]["measure_kinds"] == ["repair"]


async def test_what_is_not_known_here_is_not_found(desk: Desk) -> None:
    unknown = new_id()
    future = at(9).isoformat()
    for path, body in {
        f"/v1/cases/{unknown}/moves": {"to": "in_progress"},
        f"/v1/cases/{unknown}/findings": FINDING,
        f"/v1/cases/{unknown}/transfers": {"team_id": "rnd", "ask": "?"},
        f"/v1/cases/{unknown}/promises": {"text": "x", "due_at": future},
        f"/v1/cases/{unknown}/progress": {"text": "x"},
        f"/v1/cases/{unknown}/measures": {"kind": "repair", "text": "x"},
        f"/v1/cases/{unknown}/resolution": RESULT,
        f"/v1/transfers/{unknown}/answer": {"answer": "x"},
        f"/v1/transfers/{unknown}/cancel": {"reason": "x"},
        f"/v1/promises/{unknown}/keep": {},
        f"/v1/promises/{unknown}/withdraw": {"reason": "x"},
        f"/v1/measures/{unknown}/done": {},
    }.items():
        refused = await desk.post(path, body)
        assert refused.status_code == 404, (path, refused.text)
        assert refused.headers["content-type"] == "application/problem+json"
    assert (await desk.client.get(f"/v1/cases/{unknown}")).status_code == 404


async def test_a_command_on_another_version_than_the_present_one_is_refused(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/findings"
    tag = (await desk.client.get(f"/v1/cases/{of.complaint_id}")).headers["ETag"]
    first = await desk.post(path, FINDING, headers={"If-Match": tag})
    assert first.status_code == 201
    second = await desk.post(path, FINDING, headers={"If-Match": tag})
    assert second.status_code == 412
    assert (await desk.post(path, FINDING, headers={"If-Match": first.headers["ETag"]})).status_code == 201


async def test_a_command_with_the_same_key_happens_once(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/findings"
    key = {"Idempotency-Key": "finding-1"}
    first, again = await desk.post(path, FINDING, headers=key), await desk.post(path, FINDING, headers=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert len((await desk.dossier(of.complaint_id, "findings"))["findings"]) == 1
    assert (await desk.post(path, {**FINDING, "text": "别的"}, headers=key)).status_code == 422


async def test_bad_input_gets_a_problem_and_never_a_server_error(desk: Desk) -> None:
    of = await desk.in_progress()
    base = f"/v1/cases/{of.complaint_id}"
    for path, body in (
        (f"{base}/findings", {**FINDING, "text": "a\x00b"}),
        (f"{base}/findings", {**FINDING, "text": "   "}),
        (f"{base}/findings", {**FINDING, "nature": "rumour"}),
        (f"{base}/findings", {**FINDING, "surprise": 1}),
        (f"{base}/findings", {**FINDING, "occurred_at": "0001-01-01T00:00:00+14:00"}),
        (f"{base}/findings", {**FINDING, "occurred_at": "2024-05-10T10:00:00"}),
        (f"{base}/measures", {"kind": "refund", "text": "x", "amount": {"amount_minor": 10**40}}),
        (f"{base}/measures", {"kind": "refund", "text": "x", "amount": {"amount_minor": 0}}),
        (f"{base}/measures", {"kind": "refund", "text": "x", "amount": {"amount_minor": 1, "currency": "yuan"}}),
        (f"{base}/promises", {"text": "x", "due_at": "9999-12-31T23:59:59-14:00"}),
        (f"{base}/transfers", {"ask": "x", "contact": {"name": "y", "email": "no address"}}),
        ("/v1/cases/not-a-uuid/moves", {"to": "in_progress"}),
        (f"{base}/moves", {"to": "flying"}),
        (f"{base}/moves", []),
    ):
        refused = await desk.post(path, body)
        assert refused.status_code == 422, (path, body, refused.text)
        assert refused.json()["errors"], refused.text
    for query in (
        "q=%00",
        "team=%00",
        "cursor=bm9uc2Vuc2U",
        "limit=0",
        "limit=999999999999999999999",
        "customer=1",
        "sort=fastest",
        "state=flying",
        "overdue=perhaps",
    ):
        refused = await desk.client.get(f"/v1/cases?{query}")
        assert refused.status_code in (400, 422), (query, refused.text)


async def test_roles_decide_who_may_read_and_act(desk: Desk) -> None:
    of = await desk.in_progress()
    path = f"/v1/cases/{of.complaint_id}/findings"
    assert (await desk.post(path, FINDING, role=Role.QUALITY)).status_code == 403
    assert (await desk.post(path, FINDING, role=Role.ADAPTER)).status_code == 403
    desk.client.headers.pop("Authorization")
    assert (await desk.client.get(f"/v1/cases/{of.complaint_id}")).status_code == 401


async def test_two_people_at_once_on_one_case_do_not_overwrite_each_other(desk: Desk) -> None:
    of = facts()
    await desk.hear(*b.first_leg(of))
    path = f"/v1/cases/{of.complaint_id}/moves"
    answers = await asyncio.gather(*[desk.post(path, {"to": "in_progress"}, by=f"agent-{n}") for n in range(5)])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
