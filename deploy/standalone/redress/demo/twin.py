"""The unhappy twin: R&D does not answer, the customer is not satisfied, and the loop goes round once more."""

from redress.demo.cast import RND_MANAGER, Cast
from redress.demo.stage import Stage, minutes_between
from redress.demo.steps import answer_survey, close, receive, tell_result, transfer, visit
from redress.demo.telling import Telling
from redress.demo.world import World

FIRST_RESULT = {
    "cause": "订单查询接口偶发超时。",
    "measures": "已重启查询服务。",
    "improvement": "增加查询服务的监控。",
    "compensation": "无。",
}
SECOND_RESULT = {
    "cause": "重启只是暂时有效;根本原因是升级后索引失效。",
    "measures": "已重建索引并连续观察一小时,查询稳定。",
    "improvement": "升级检查单加入索引校验。",
    "compensation": "赠送一个月高级功能。",
}


async def play(world: World, telling: Telling) -> Stage:
    cast = Cast(world)
    stage = Stage(world, telling, cast.watcher)
    telling.chapter("不满意的孪生案例 · the unhappy twin")
    await receive(stage, cast, f"call-{world.times.now():%Y%m%dT%H%M%S}-2")
    await _nobody_answers(stage, cast)
    await tell_result(stage, cast, "result", "书面结果(第一次)· the first result", FIRST_RESULT, 1)
    await answer_survey(
        stage, 1, "survey", "客户填写调查:不满意 · not satisfied", 2, ("not_solved", "too_slow"), "又打不开了"
    )
    await _analysed_again(stage, cast)
    await answer_survey(stage, 2, "second survey", "第二次调查:满意 · the second survey", 4, (), "这次好了")
    await stage.state_becomes("confirmed")
    await visit(stage, cast, 2)
    await close(stage, cast, "首次处理未找到根因,客户不满意;重新分析后修复,客户满意。")
    case = await stage.case()
    stage.check(
        "the loop was counted: one reopening",
        case["reopened"] == 1,
        f"reopened={case['reopened']}, cycle={case['cycle']}",
    )
    return stage


async def _nobody_answers(stage: Stage, cast: Cast) -> None:
    task_id = await transfer(stage, cast)
    await stage.at("warned", "临近时限,预警 · the warning")
    await stage.see("redress.clock.warned.v1")
    await stage.at("breached", "超时,升级至研发经理 · breached, escalated")
    await stage.see("redress.clock.breached.v1", "redress.escalation.raised.v1")
    clock = await stage.clock("transfer_response", "running")
    breached = stage.seen("redress.clock.breached.v1")
    ours = next(event for event in breached if event["data"]["clock"]["metric"] == "transfer_response")
    stage.check(
        "the breach is dated at the due instant",
        ours["occurred_at"] == clock["due_at"],
        f"{ours['occurred_at']}, detected {ours['data']['detected_at']}",
    )
    warned = [
        event
        for event in stage.seen("redress.clock.warned.v1")
        if event["data"]["clock"]["metric"] == "transfer_response"
    ]
    stage.check(
        "the warning came before the breach",
        warned and minutes_between(warned[0]["occurred_at"], ours["occurred_at"]) > 0,
        warned[0]["occurred_at"] if warned else "none",
    )

    def to_manager() -> list[str]:
        return [
            event["data"]["recipient"]["staff_id"]
            for event in stage.seen("redress.escalation.raised.v1")
            if event["data"]["clock"]["metric"] == "transfer_response" and event["data"]["recipient"]
        ]

    if RND_MANAGER not in to_manager():
        await stage.see("redress.escalation.raised.v1", clocks=False)
    stage.check("escalated to R&D's manager", RND_MANAGER in to_manager(), ", ".join(to_manager()))
    mails = await stage.messages("escalation")
    stage.check(
        "the manager has the mail", mails, ", ".join(f"{mail['means']} to {mail['recipient']}" for mail in mails)
    )
    await stage.at("answer", "研发部迟到的答复 · R&D answers late")
    await cast.rnd.post("resolution", f"/v1/transfers/{task_id}/answer", {"answer": "已重启查询服务"})
    await stage.see("redress.transfer.answered.v1", "redress.clock.fulfilled.v1")
    late = await stage.clock("transfer_response", "fulfilled")
    stage.check("the late answer stays late", late["on_time"] is False, f"{late['fulfilled_at']}, due {late['due_at']}")


async def _analysed_again(stage: Stage, cast: Cast) -> None:
    reopened = await stage.state_becomes("reopened")
    stage.check(
        "not satisfied: the case is reopened",
        reopened["cycle"] == 2 and stage.seen("redress.complainant.dissatisfied.v1", cycle=1),
        f"{reopened['state']}, cycle {reopened['cycle']}",
    )
    await stage.at("analysis", "重新分析 · analysed again")
    case = f"/v1/cases/{stage.complaint_id}"
    await cast.engineer.post("resolution", f"{case}/moves", {"to": "in_progress", "reason": "重新分析"})
    problem = await cast.engineer.refused("resolution", f"{case}/resolution", SECOND_RESULT)
    stage.check("no second result before it was analysed again", problem["status"] in {409, 422}, problem["type"])
    await cast.engineer.post(
        "resolution",
        f"{case}/findings",
        {"method": "expert", "nature": "fact", "text": "索引失效,重启后缓存过期即复现"},
    )
    await stage.see("redress.case.moved.v1", "redress.case.investigation-recorded.v1")
    await tell_result(stage, cast, "second result", "书面结果(第二次)· the second result", SECOND_RESULT, 2)
