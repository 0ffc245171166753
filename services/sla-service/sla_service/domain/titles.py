"""What people read: the names of metrics and roles in both languages."""

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric
from sla_service.clocks.policy import Role
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
}
ROLES: dict[Role, Bilingual] = {
    "agent": Bilingual(zh="经办人", en="the one who handles it"),
    "team_lead": Bilingual(zh="组长", en="the team lead"),
    "department_manager": Bilingual(zh="部门经理", en="the department manager"),
    "executive": Bilingual(zh="分管领导", en="the executive"),
}


def title_of(run: Run) -> Bilingual:
    """Transfers name the department asked; periods and cycles after the first carry their number."""
    name = METRICS[run.metric]
    if run.metric is Metric.TRANSFER_RESPONSE and run.team_name is not None:
        return Bilingual(zh=f"{name.zh}：{run.team_name.zh}", en=f"{name.en}: {run.team_name.en}")
    if run.cycle > 1:
        return Bilingual(zh=f"{name.zh}（第 {run.cycle} 次）", en=f"{name.en} (no. {run.cycle})")
    return name


def escalation_reason(title: Bilingual, step: int, role: Role, steps: int) -> Bilingual:
    to = ROLES[role]
    return Bilingual(
        zh=f"「{title.zh}」已超时，第 {step}/{steps} 级升级至{to.zh}",
        en=f"{title.en} is overdue; step {step} of {steps} goes to {to.en}",
    )
