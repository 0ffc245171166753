"""What people read: the names of metrics and roles in both languages."""

from functools import lru_cache

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric
from sla_service.clocks.policy import SERVICE, PolicySpec, Role
from sla_service.clocks.runs import Run

METRICS: dict[Metric, Bilingual] = {
    Metric.FIRST_RESPONSE: Bilingual(zh="首次响应", en="First response"),
    Metric.RESOLUTION: Bilingual(zh="问题解决", en="Resolution"),
    Metric.TRANSFER_RESPONSE: Bilingual(zh="转单响应", en="Transfer response"),
    Metric.PERIODIC_UPDATE: Bilingual(zh="进度反馈", en="Progress update"),
    Metric.SURVEY: Bilingual(zh="满意度调查", en="Survey"),
    Metric.FOLLOW_UP: Bilingual(zh="回访", en="Follow-up visit"),
    Metric.RECORDING: Bilingual(zh="外部投诉登记", en="Recording of an outside complaint"),
    Metric.IMPROVEMENT_ACTION: Bilingual(zh="改进措施", en="Improvement action"),
    Metric.PROMISE: Bilingual(zh="对客户的承诺", en="Promise to the customer"),
    Metric.ACKNOWLEDGE: Bilingual(zh="确认收到", en="Acknowledgement"),
    Metric.NEXT_RESPONSE: Bilingual(zh="后续响应", en="Next response"),
    Metric.PAUSABLE_UPDATE: Bilingual(
        zh="进度反馈（等待客户时暂停）", en="Progress update, not while waiting for the customer"
    ),
    Metric.AGENT_WORK_TIME: Bilingual(zh="处理人员工作用时", en="Work time of the team"),
    Metric.THIRD_PARTY_RESPONSE: Bilingual(zh="外部伙伴响应", en="Response of an outside partner"),
    Metric.REGULATOR_DISPATCH: Bilingual(zh="监管派单", en="Dispatch by the authority"),
    Metric.REGULATOR_ACCEPT: Bilingual(zh="监管受理决定", en="Acceptance or refusal by the authority"),
    Metric.REGULATOR_RESPOND: Bilingual(zh="答复监管机构", en="Response to the authority"),
    Metric.REGULATOR_DECIDE: Bilingual(zh="监管调解办结", en="End of the mediation"),
    Metric.REGULATOR_INFORM: Bilingual(zh="监管结果告知", en="Notice of the outcome"),
    Metric.REGULATOR_FINAL: Bilingual(zh="最终答复", en="Final response"),
}
ROLES: dict[Role, Bilingual] = {
    "agent": Bilingual(zh="经办人", en="the one who handles it"),
    "team_lead": Bilingual(zh="组长", en="the team lead"),
    "department_manager": Bilingual(zh="部门经理", en="the department manager"),
    "executive": Bilingual(zh="分管领导", en="the executive"),
}


def title_of(run: Run, policy: PolicySpec) -> Bilingual:
    """Transfers name the team asked; periods and cycles after the first carry their number. What a regulator or a
    contract asks beside the company's own promise says by which policy it does."""
    name = _own_title(run)
    if policy.track == SERVICE:
        return name
    return Bilingual(zh=f"{policy.title.zh}：{name.zh}", en=f"{policy.title.en}: {name.en}")


def _own_title(run: Run) -> Bilingual:
    name = METRICS[run.metric]
    if run.metric in (Metric.TRANSFER_RESPONSE, Metric.THIRD_PARTY_RESPONSE) and run.team_name is not None:
        return Bilingual(zh=f"{name.zh}：{run.team_name.zh}", en=f"{name.en}: {run.team_name.en}")
    if run.cycle > 1:
        return Bilingual(zh=f"{name.zh}（第 {run.cycle} 次）", en=f"{name.en} (no. {run.cycle})")
    return name


@lru_cache(maxsize=1_000)
def escalation_reason(title: Bilingual, step: int, role: Role, steps: int) -> Bilingual:
    to = ROLES[role]
    return Bilingual(
        zh=f"「{title.zh}」已超时，第 {step}/{steps} 级升级至{to.zh}",
        en=f"{title.en} is overdue; step {step} of {steps} goes to {to.en}",
    )
