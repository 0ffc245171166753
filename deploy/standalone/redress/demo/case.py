"""The case of 2024-05-10, from the call to the review of the week."""

from redress.demo.cast import ACTION_OWNERS, Cast
from redress.demo.stage import Stage, minutes_between
from redress.demo.steps import answer_survey, close, earlier_cases, receive, tell_result, transfer, visit
from redress.demo.telling import Telling
from redress.demo.world import World, eventually, parse

RESULT = {
    "cause": "系统升级后订单表的索引失效,查询近7天订单超时,所以页面提示加载失败。",
    "measures": "12:00 已重建索引,查询恢复正常,并核对了近7天的订单数据。",
    "improvement": "升级检查单加入索引校验,并对订单查询耗时设置监控告警。",
    "compensation": "赠送一个月高级功能,今日生效。",
}


async def play(world: World, telling: Telling) -> Stage:
    """Returns the stage with everything that was seen and checked."""
    cast = Cast(world)
    stage = Stage(world, telling, cast.watcher)
    telling.chapter("接收 → 评估 → 处理 → 反馈 → 复盘 · one complaint round the loop")
    await world.times.until("earlier")
    earlier = await earlier_cases(world, cast)

    await receive(stage, cast, f"call-{world.times.now():%Y%m%dT%H%M%S}-1")
    await _transfer_is_answered(stage, cast)
    promise_id = await _progress_with_a_promise(stage, cast)
    await _repair(stage, cast, promise_id)
    await _result(stage, cast)
    await answer_survey(
        stage, 1, "survey", "客户填写调查:非常满意 · the customer answers the survey", 5, (), "处理很快,谢谢"
    )
    await stage.state_becomes("confirmed")
    level = stage.seen("redress.survey.answered.v1")[0]["data"]["satisfaction"]
    stage.check("the survey says 非常满意 (5)", level == 5, level)
    survey = await stage.clock("survey", "fulfilled")
    stage.check("the survey's clock was kept", survey["on_time"] is True, f"due {survey['due_at']}")
    await visit(stage, cast, 1)
    await close(stage, cast, "索引失效导致近7天订单查询失败;已修复、致歉并赠送一个月高级功能,客户非常满意。")
    await _review(stage, cast, earlier)
    return stage


async def _transfer_is_answered(stage: Stage, cast: Cast) -> None:
    task_id = await transfer(stage, cast)
    clock = await stage.clock("transfer_response", "running")
    stage.check(
        "the transfer's response clock runs from its opening",
        clock["status"] == "running",
        f"{minutes_between(clock['started_at'], clock['due_at']):.1f} min, due {clock['due_at']}",
    )
    await stage.at("answer", "研发部答复 · R&D answers")
    await cast.rnd.post(
        "resolution", f"/v1/transfers/{task_id}/answer", {"answer": "索引失效,正在重建,预计12:00前恢复"}
    )
    await stage.see("redress.transfer.answered.v1", "redress.clock.fulfilled.v1")
    clock = await stage.clock("transfer_response", "fulfilled")
    stage.check("R&D answered in time", clock["on_time"] is True, f"{clock['fulfilled_at']}, due {clock['due_at']}")


async def _progress_with_a_promise(stage: Stage, cast: Cast) -> str:
    await stage.at("progress", "告知进展,承诺时间 · progress told, with a promise")
    due = stage.world.times.when("promised")
    told = await cast.engineer.post(
        "resolution",
        f"/v1/cases/{stage.complaint_id}/progress",
        {
            "text": "已定位原因,正在修复,预计12:00前恢复。",
            "promise": {"text": "12:00前恢复查询", "due_at": due.isoformat()},
        },
    )
    await stage.see("redress.progress.told.v1", "redress.promise.made.v1", "redress.clock.activated.v1")
    clock = await stage.clock("promise", "running")
    stage.check("the promise has its own clock", parse(clock["due_at"]) == due, f"due {clock['due_at']}")
    sent = (await stage.messages("progress"))[0]
    stage.check("the customer was told", sent["status"] == "delivered", f"{sent['means']} to {sent['recipient']}")
    promise_id: str = told["promise"]["promise_id"]
    return promise_id


async def _repair(stage: Stage, cast: Cast, promise_id: str) -> None:
    await stage.at("repaired", "修复完成 · repaired")
    case = f"/v1/cases/{stage.complaint_id}"
    await cast.engineer.post(
        "resolution",
        f"{case}/findings",
        {"method": "reproduction", "nature": "fact", "text": "重建索引后,近7天订单查询耗时由超时降为0.3秒"},
    )
    await cast.engineer.post("resolution", f"/v1/promises/{promise_id}/keep", {})
    for kind, text in (
        ("apology", "向客户致歉"),
        ("repair", "重建订单表索引"),
        ("compensation", "赠送一个月高级功能"),
    ):
        made = await cast.engineer.post("resolution", f"{case}/measures", {"kind": kind, "text": text})
        await cast.engineer.post("resolution", f"/v1/measures/{made['measure_id']}/done", {})
    await stage.see(
        "redress.case.investigation-recorded.v1",
        "redress.promise.kept.v1",
        "redress.clock.fulfilled.v1",
        *["redress.measure.changed.v1"] * 6,
    )
    clock = await stage.clock("promise", "fulfilled")
    stage.check("the promise was kept", clock["on_time"] is True, f"{clock['fulfilled_at']}, due {clock['due_at']}")


async def _result(stage: Stage, cast: Cast) -> None:
    await tell_result(stage, cast, "result", "书面结果 · the result in writing", RESULT, 1)
    sent = (await stage.messages("result"))[0]
    stage.check(
        "the written result reached the customer with its four parts",
        all(part in sent["text"] for part in RESULT.values()),
        f"{sent['means']} to {sent['recipient']}: {sent['text'][:60]}…",
    )
    clock = await stage.clock("resolution", "fulfilled")
    stage.check("the resolution clock has ended", clock["status"] == "fulfilled", f"due {clock['due_at']}")


async def _review(stage: Stage, cast: Cast, earlier: list[str]) -> None:
    """The review of the week: similar cases, root cause, two actions whose clocks run."""
    await stage.at("review", "每周复盘 · the review of the week")

    async def alike() -> list[dict[str, str]]:
        found = await cast.quality.get("insight", f"/v1/complaints/{stage.complaint_id}/similar", limit=10)
        return [each for each in found if each["complaint_id"] in earlier]

    similar = await eventually(alike, "similar cases")
    stage.telling.table(
        "similar cases · 相似投诉",
        [
            (each["number"], f"{each['score']} · {each['summary']} · {', '.join(each['shared_terms'])}")
            for each in similar
        ],
    )
    ids = [each["complaint_id"] for each in similar]
    stage.check("three similar cases were found, and not the one that differs", set(ids) == set(earlier[:3]), len(ids))
    review = await cast.quality.post(
        "insight",
        "/v1/reviews",
        {
            "title": "近7天订单查询加载失败",
            "severity": "systemic",
            "complaint_ids": [stage.complaint_id, *ids],
            "five_w_one_h": {"who": "网店客户", "what": "近7天订单加载失败", "where": "订单管理系统"},
            "five_whys": ["查询超时", "索引失效", "升级脚本未重建索引", "检查单没有这一项"],
            "fishbone": {"method": ["升级检查单缺少索引校验"], "measurement": ["没有查询耗时告警"]},
            "root_cause": "升级脚本未重建索引,且检查单没有索引校验",
        },
    )
    stage.subjects.append(review["review_id"])
    plans = (
        ("process", "升级检查单加入索引校验", "first action due"),
        ("product", "订单查询耗时监控告警", "second action due"),
    )
    for owner, (kind, title, due) in zip(ACTION_OWNERS, plans, strict=True):
        made = await cast.quality.post(
            "insight",
            f"/v1/reviews/{review['review_id']}/actions",
            {
                "title": title,
                "kind": kind,
                "owner": owner,
                "aim": "同类投诉由每月4起降为0起",
                "due_at": stage.world.times.when(due).isoformat(),
                "complaint_ids": [stage.complaint_id],
            },
        )
        stage.subjects.append(made["action_id"])
    await stage.see(
        "redress.review.root-cause-recorded.v1",
        *["redress.action.planned.v1"] * 2,
        *["redress.clock.activated.v1"] * 2,
    )
    causes = stage.seen("redress.review.root-cause-recorded.v1")
    stage.check("the root cause is recorded, with the cases", len(causes[0]["data"]["complaint_ids"]) == 4, len(causes))
    clocks = [each for each in await stage.clocks() if each["metric"] == "improvement_action"]
    stage.check(
        "two improvement actions have an owner and a clock that runs",
        len(clocks) == 2 and all(each["status"] == "running" for each in clocks),
        ", ".join(f"due {each['due_at']}" for each in clocks),
    )
