"""Steps that the case and its twin share."""

import re
from typing import Any

from redress.demo.cast import EARLIER, HOTLINE, Cast, complaint
from redress.demo.stage import Stage, minutes_between
from redress.demo.world import World, eventually
from shared.web.auth import Role

#: Levels of the survey from here down are not satisfied.
DISSATISFIED = 2


async def receive(stage: Stage, cast: Cast, message_id: str) -> None:
    """The seat records the call; the customer is acknowledged by SMS; rules assess it; an engineer gets it."""
    await stage.at("receipt", "客户致电400热线,坐席录入 · the customer calls, the seat records it")
    now = stage.world.times.now()
    happened = stage.world.times.when("receipt")
    made = await cast.seat.post("intake", "/v1/complaints", complaint(message_id, min(now, happened)))
    stage.complaint_id = made["id"]
    await stage.see(
        "redress.complaint.received.v1",
        "redress.complaint.classified.v1",
        "redress.complaint.assigned.v1",
        "redress.message.delivered.v1",
        "redress.clock.fulfilled.v1",
    )
    await stage.state_becomes("assessed")

    received = stage.seen("redress.complaint.received.v1")[0]
    shown = received["data"]["facts"]["customer"]["display"]
    stage.check("the mobile number is shown masked as 138****1234", shown == "138****1234", shown)
    number = received["data"]["facts"]["number"]
    stage.check("it has a number for the phone", re.fullmatch(r"C-\d{8}-\d{6,}", number), number)
    sms = (await stage.messages("acknowledgement"))[0]
    took = minutes_between(received["occurred_at"], sms["delivered_at"])
    stage.check(
        "acknowledged by SMS within 10 minutes",
        sms["means"] == "sms" and took <= 10,
        f"{sms['means']} to {sms['recipient']} after {took:.1f} min",
    )
    first = await stage.clock("first_response", "fulfilled")
    stage.check(
        "the first-response clock was kept", first["on_time"] is True, f"due {first['due_at']}, {first['status']}"
    )
    verdict = stage.seen("redress.complaint.classified.v1")[0]["data"]
    stage.check(
        "assessed automatically: complaint, product.function, medium, R&D, with reasons",
        (verdict["kind"], verdict["issue_type"], verdict["facts"]["urgency"], verdict["responsible"])
        == ("complaint", "product.function", "medium", "rnd")
        and verdict["by"] == "rules"
        and verdict["reasons"],
        f"{verdict['kind']}, {verdict['issue_type']}, {verdict['facts']['urgency']}, {verdict['responsible']}: "
        + "; ".join(reason["text"]["zh"] for reason in verdict["reasons"][:3]),
    )
    assigned = stage.seen("redress.complaint.assigned.v1")[0]["data"]
    stage.check(
        "assigned to an engineer",
        assigned["team_id"] == "engineers" and assigned["agent"],
        f"{assigned['team_name']['zh']}: {(assigned['agent'] or {}).get('name')}",
    )
    if assigned["agent"]:
        cast.engineer = stage.world.acts(assigned["agent"]["staff_id"], assigned["agent"]["name"], Role.AGENT)


async def transfer(stage: Stage, cast: Cast) -> str:
    """A transfer task to R&D; its clock runs, its contact has the mail. Returns the task's id."""
    await stage.at("transfer", "转单研发部 · a transfer task to R&D")
    await cast.engineer.post("resolution", f"/v1/cases/{stage.complaint_id}/moves", {"to": "in_progress", "reason": ""})
    task = await cast.engineer.post(
        "resolution",
        f"/v1/cases/{stage.complaint_id}/transfers",
        {"team_id": "rnd", "ask": "请排查近7天订单查询加载失败的原因,并给出修复时间"},
    )
    await stage.see(
        "redress.case.moved.v1",
        "redress.transfer.opened.v1",
        "redress.clock.activated.v1",
        "redress.message.delivered.v1",
    )
    mail = (await stage.messages("transfer_request"))[0]
    opened = stage.seen("redress.transfer.opened.v1")[-1]
    contact = opened["data"]["contact"] or {}
    stage.check(
        "R&D's contact is notified at once, by mail",
        mail["means"] == "email" and contact and contact["name"] in mail["recipient"],
        f"{mail['means']} to {mail['recipient']}",
    )
    task_id: str = task["task_id"]
    return task_id


async def tell_result(stage: Stage, cast: Cast, moment: str, title: str, result: dict[str, str], cycle: int) -> None:
    await stage.at(moment, title)
    incomplete = {key: value for key, value in result.items() if key != "improvement"}
    problem = await cast.engineer.refused("resolution", f"/v1/cases/{stage.complaint_id}/resolution", incomplete)
    pointers = [error.get("pointer") for error in problem.get("errors", [])]
    stage.check(
        f"cycle {cycle}: a result without its improvement part is refused, and says which part",
        problem["status"] == 422 and "/improvement" in pointers,
        f"{problem['status']} {pointers}",
    )
    await cast.engineer.post("resolution", f"/v1/cases/{stage.complaint_id}/resolution", result)
    await stage.see("redress.case.resolved.v1", "redress.survey.offered.v1", "redress.follow-up.planned.v1")
    await stage.state_becomes("resolved")


async def answer_survey(
    stage: Stage, cycle: int, moment: str, title: str, level: int, reasons: tuple[str, ...], comment: str
) -> None:
    """The customer opens the link on the phone and answers. The link is the one that was sent."""
    await stage.at(moment, title)

    async def sent() -> dict[str, Any] | None:
        found = [message for message in await stage.messages("survey") if message["cycle"] == cycle]
        return found[0] if found else None

    message = await eventually(sent, f"the survey's message of cycle {cycle}")
    offered = stage.seen("redress.survey.offered.v1", cycle=cycle)[0]
    url = offered["data"]["url"]
    stage.check(
        f"cycle {cycle}: the survey went out within 24 h of the resolution, with its link",
        url in message["text"]
        and minutes_between(
            stage.seen("redress.case.resolved.v1", cycle=cycle)[0]["occurred_at"], message["delivered_at"]
        )
        <= 24 * 60,
        f"{message['means']} to {message['recipient']} at {message['delivered_at']}",
    )
    http = stage.world.http
    before = len(stage.events)
    shown = await http.get(url)
    shown.raise_for_status()
    answers = len(stage.seen("redress.survey.answered.v1"))
    stage.check(f"cycle {cycle}: opening the page records nothing", len(stage.events) == before and answers < cycle)
    title_ = re.search(r"<title>(.*?)</title>", shown.text)
    stage.telling.page(f"{url.split('/s/')[0]}/s/…  “{title_[1] if title_ else ''}” ({len(shown.content)} bytes)")
    given = await http.post(url, data={"satisfaction": str(level), "comment": comment, "reasons": list(reasons)})
    given.raise_for_status()
    wanted = ["redress.survey.answered.v1"] + ["redress.complainant.dissatisfied.v1"] * (level <= DISSATISFIED)
    await stage.see(*wanted)


async def visit(stage: Stage, cast: Cast, cycle: int) -> None:
    await stage.at("visit", "回访 · the follow-up visit")
    open_ = await cast.engineer.get("feedback", "/v1/follow-ups", complaint=stage.complaint_id, open="true")
    one = next(each for each in open_["data"] if each["cycle"] == cycle)
    await cast.engineer.post(
        "feedback",
        f"/v1/follow-ups/{one['visit_id']}/done",
        {"outcome": "satisfied", "note": "客户确认系统恢复正常,补偿已到账"},
    )
    await stage.see("redress.follow-up.done.v1", "redress.clock.fulfilled.v1")
    clock = await stage.clock("follow_up", "fulfilled", cycle)
    stage.check(
        f"cycle {cycle}: the follow-up visit was done in its time",
        clock["on_time"] is True,
        f"done {clock['fulfilled_at']}, due {clock['due_at']}",
    )


async def close(stage: Stage, cast: Cast, summary: str) -> None:
    await stage.at("closing", "结案 · closing")
    await cast.engineer.post(
        "feedback",
        "/v1/closings",
        {"complaint_id": stage.complaint_id, "summary": summary, "other_wishes": "希望订单列表支持导出"},
    )
    await stage.see("redress.closing.summary-written.v1", "redress.case.moved.v1")
    await stage.state_becomes("closed")
    case = await stage.case()
    stage.check("the case is closed with a summary", case["state"] == "closed", case["state"])


async def earlier_cases(world: World, cast: Cast) -> list[str]:
    """Complaints of others in the days before, of which three are like the one to come."""
    ids = []
    for number, (symptom, organisation, phone) in enumerate(EARLIER, 1):
        made = await cast.seat.post(
            "intake",
            "/v1/complaints",
            {
                "channel": HOTLINE | {"message_id": f"earlier-{number}-{world.times.now():%Y%m%dT%H%M%S}"},
                "complainant": {"name": "网店客户", "phones": [phone], "organisation": organisation},
                "priority": "important",
                "symptom": symptom,
                "product": "订单管理系统",
            },
        )
        ids.append(made["id"])
    return ids
