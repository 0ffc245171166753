"""What the dossier calls things, in both languages (G6)."""

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import CaseState

S = CaseState

STATES: dict[CaseState, Bilingual] = {
    state: Bilingual(zh=zh, en=en)
    for state, zh, en in (
        (S.RECEIVED, "已接收", "Received"),
        (S.ACKNOWLEDGED, "已确认收到", "Acknowledged"),
        (S.ASSESSED, "已评估", "Assessed"),
        (S.IN_PROGRESS, "处理中", "In progress"),
        (S.WAITING_CUSTOMER, "等待客户", "Waiting for customer"),
        (S.WAITING_THIRD_PARTY, "等待第三方", "Waiting for third party"),
        (S.RESOLVED, "已解决", "Resolved"),
        (S.CONFIRMED, "客户已确认", "Confirmed"),
        (S.CLOSED, "已关闭", "Closed"),
        (S.REOPENED, "重新打开", "Reopened"),
        (S.MERGED, "已合并", "Merged"),
        (S.WITHDRAWN, "已撤回", "Withdrawn"),
        (S.REJECTED, "已拒绝", "Rejected"),
    )
}

#: Kind of a timeline item (the contract's name without `redress.` and version) -> labels.
ITEMS: dict[str, Bilingual] = {
    kind: Bilingual(zh=zh, en=en)
    for kind, zh, en in (
        ("complaint.received", "投诉已接收", "Complaint received"),
        ("complaint.message-added", "沟通记录", "Message"),
        ("complaint.note-added", "内部备注", "Internal note"),
        ("complaint.linked", "关联投诉", "Complaints linked"),
        ("complaint.classified", "分类评估", "Classified"),
        ("complaint.assigned", "分派", "Assigned"),
        ("case.moved", "状态变更", "State changed"),
        ("case.investigation-recorded", "调查记录", "Finding recorded"),
        ("case.resolved", "处理结果", "Result written"),
        ("transfer.opened", "发起转单", "Transfer opened"),
        ("transfer.answered", "转单已回复", "Transfer answered"),
        ("transfer.cancelled", "转单已取消", "Transfer cancelled"),
        ("promise.made", "作出承诺", "Promise made"),
        ("promise.kept", "承诺已兑现", "Promise kept"),
        ("promise.withdrawn", "承诺已撤回", "Promise withdrawn"),
        ("progress.told", "进度告知", "Progress told"),
        ("measure.changed", "处理措施", "Measure"),
        ("regulator.stage-recorded", "监管进展", "Stage of a regulator's proceeding"),
        ("regulator.stage-taken-back", "监管进展更正", "Stage of a regulator's proceeding taken back"),
        ("clock.activated", "时限开始", "Clock started"),
        ("clock.repriced", "时限调整", "Clock due anew"),
        ("clock.paused", "时限暂停", "Clock paused"),
        ("clock.resumed", "时限恢复", "Clock resumed"),
        ("clock.warned", "时限预警", "Clock warned"),
        ("clock.breached", "时限超时", "Clock breached"),
        ("clock.breach-withdrawn", "超时撤销", "Breach withdrawn"),
        ("clock.fulfilled", "时限达成", "Clock fulfilled"),
        ("clock.cancelled", "时限取消", "Clock cancelled"),
        ("escalation.raised", "升级上报", "Escalated"),
        ("escalation.acknowledged", "升级已确认", "Escalation acknowledged"),
        ("survey.offered", "满意度调查已发出", "Survey offered"),
        ("survey.answered", "满意度调查已答复", "Survey answered"),
        ("follow-up.planned", "回访已计划", "Follow-up visit planned"),
        ("follow-up.assigned", "回访已分派", "Follow-up visit assigned"),
        ("follow-up.done", "回访已完成", "Follow-up visit done"),
        ("complainant.dissatisfied", "客户不满意", "Complainant dissatisfied"),
        ("closing.summary-written", "结案总结", "Closing summary"),
        ("message.delivered", "消息已送达", "Message delivered"),
        ("message.failed", "消息发送失败", "Message failed"),
        ("action.planned", "改进措施已计划", "Improvement action planned"),
        ("action.done", "改进措施已完成", "Improvement action done"),
    )
}


def kind_of(type_name: str) -> str:
    """`redress.case.resolved.v1` -> `case.resolved`."""
    return type_name.removeprefix("redress.").rpartition(".")[0]
