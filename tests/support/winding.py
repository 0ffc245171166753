"""A complaint whose way winds: judged anew by hand, handed over, waiting for the customer and for a partner, a promise
withdrawn. It brings the events that the case and its twin do not have."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from redress.demo.cast import HOTLINE, Cast
from redress.demo.world import World
from shared.clock import SimulatedClock

COMPLAINANT = {"name": "周先生", "phones": ["13922220005"], "organisation": "南山网店", "preferred_channel": "sms"}
RESULT = {
    "cause": "发票抬头字段被截断。",
    "measures": "已重开发票。",
    "improvement": "放宽字段长度。",
    "compensation": "无。",
}


async def play(world: World, clock: SimulatedClock, settled: Callable[[], Awaitable[None]]) -> str:
    """From now on, within half a day; returns the complaint's id. `settled` waits until all have heard all."""
    cast = Cast(world)

    async def later(minutes: int) -> None:
        await settled()
        await clock.advance_to(clock.now() + timedelta(minutes=minutes))

    record = {
        "channel": HOTLINE | {"message_id": "winding-1"},
        "complainant": COMPLAINANT,
        "priority": "general",
        "symptom": "发票抬头显示不全,无法报销",
        "product": "订单管理系统",
    }
    made = await cast.seat.post("intake", "/v1/complaints", record)
    complaint_id: str = made["id"]
    case, complaint = f"/v1/cases/{complaint_id}", f"/v1/complaints/{complaint_id}"
    await later(10)
    await cast.lead.post(
        "triage", f"{complaint}/classification", {"urgency": "high", "responsible": "rnd", "reason": "月底报销受影响"}
    )
    await later(5)
    await cast.engineer.post("resolution", f"{case}/moves", {"to": "in_progress"})
    await later(5)
    await cast.engineer.post("resolution", f"{case}/moves", {"to": "waiting_customer", "question": "请问是哪张发票?"})
    await later(50)
    await cast.seat.post(
        "intake", f"{complaint}/messages", {"direction": "inbound", "channel": HOTLINE, "text": "五月三日的那张"}
    )
    await later(10)
    asked = {"contact": {"name": "开票伙伴", "email": "partner@example.com"}, "ask": "请重开发票", "wait": True}
    task = await cast.engineer.post("resolution", f"{case}/transfers", asked)
    await later(30)
    await cast.engineer.post("resolution", f"/v1/transfers/{task['task_id']}/cancel", {"reason": "自行处理"})
    await cast.engineer.post("resolution", f"{case}/moves", {"to": "in_progress"})
    await later(5)
    promise = {"text": "今天重开", "due_at": (clock.now() + timedelta(hours=2)).isoformat()}
    told = await cast.engineer.post("resolution", f"{case}/progress", {"text": "正在重开发票", "promise": promise})
    await later(10)
    identity = told["promise"]["promise_id"]
    await cast.engineer.post("resolution", f"/v1/promises/{identity}/withdraw", {"reason": "需要财务复核"})
    await cast.lead.post("triage", f"{complaint}/assignment", {"team_id": "engineers", "reason": "换人处理"})
    await cast.lead.post("triage", f"{complaint}/classification", {"urgency": "medium", "reason": "只影响一张发票"})
    await later(5)
    await cast.lead.post("intake", f"{complaint}/notes", {"text": "客户语气平和"})
    await cast.engineer.post("resolution", f"{case}/resolution", RESULT)
    await later(60)
    return complaint_id
