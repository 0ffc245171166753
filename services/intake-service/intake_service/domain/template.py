"""What each kind's template wants of a record (A2): where it is missing, an open question asks for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from intake_service.domain.record import NewComplaint
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Kind, Language


@dataclass(frozen=True, slots=True)
class Wanted:
    pointer: str
    question: Bilingual
    stated: Callable[[NewComplaint], object]


def _wanted(pointer: str, zh: str, en: str, stated: Callable[[NewComplaint], object]) -> Wanted:
    return Wanted(pointer, Bilingual(zh=zh, en=en), stated)


NAME = _wanted("/complainant/name", "请问怎么称呼您？", "What may we call you?", lambda r: r.complainant.name)
CONTACT = _wanted(
    "/complainant/phones",
    "我们怎样联系您最方便（电话或邮箱）？",
    "How can we best reach you (phone or e-mail)?",
    lambda r: r.complainant.phones or r.complainant.emails or r.complainant.wecom,
)
ACCOUNT = _wanted(
    "/complainant/account_id",
    "请问您的公司名称或账号是什么？",
    "What is your company's name or your account?",
    lambda r: r.complainant.account_id or r.complainant.organisation,
)
HAPPENED_AT = _wanted(
    "/happened_at",
    "问题是什么时候开始出现的（请尽量精确到分钟）？",
    "When did it begin (to the minute, if you can)?",
    lambda r: r.happened_at,
)
SCENE = _wanted(
    "/scene",
    "问题出现时您在哪里、正在做什么操作？",
    "Where were you and what were you doing when it happened?",
    lambda r: r.scene,
)
IMPACT = _wanted(
    "/impact",
    "这个问题对您造成了哪些影响？",
    "How far does it affect you or your business?",
    lambda r: r.impact,
)
DEMANDS = _wanted("/demands", "您希望我们怎样解决？", "How would you like us to settle it?", lambda r: r.demands)
PRODUCT = _wanted(
    "/product",
    "请问涉及哪个产品或服务？",
    "Which product or service is it about?",
    lambda r: r.product,
)
PROOF = _wanted(
    "/attachments",
    "方便提供订单号截图、照片或购买凭证吗？",
    "Could you send a screenshot, a photo or a proof of purchase?",
    lambda r: r.attachments,
)

TEMPLATES: Mapping[Kind, tuple[Wanted, ...]] = {
    Kind.COMPLAINT: (NAME, CONTACT, ACCOUNT, HAPPENED_AT, SCENE, IMPACT, DEMANDS, PRODUCT),
    Kind.AFTER_SALES: (NAME, CONTACT, PRODUCT, HAPPENED_AT, DEMANDS, PROOF),
    Kind.ENQUIRY: (CONTACT, PRODUCT),
    Kind.SUGGESTION: (CONTACT, PRODUCT, SCENE),
}


def missing(record: NewComplaint) -> tuple[str, ...]:
    """Pointers of what the template of the record's kind wants and the record lacks, in the template's order."""
    return tuple([wanted.pointer for wanted in TEMPLATES[record.kind] if not wanted.stated(record)])


QUESTIONS: Mapping[str, Bilingual] = {
    wanted.pointer: wanted.question for template in TEMPLATES.values() for wanted in template
}


def read_back(
    language: Language,
    *,
    symptom: str,
    happened_at: datetime | None = None,
    scene: str = "",
    impact: str = "",
    demands: Sequence[str] = (),
) -> str:
    """What was understood, to be told back to the complainant and confirmed 复述确认 (A2). `happened_at` is local."""
    symptom, scene, impact, *wishes = [_said(each) for each in (symptom, scene, impact, *demands)]
    minute = happened_at.strftime("%Y-%m-%d %H:%M") if happened_at else ""
    if language is Language.ZH:
        parts = [f"{minute} 起，" if minute else "", f"在“{scene}”时，" if scene else "", f"您遇到：{symptom}"]
        parts += [f"；影响：{impact}" if impact else "", "。", f"您希望：{'；'.join(wishes)}。" if wishes else ""]
        return "".join([*parts, "我理解得对吗？"])
    parts = [f"Since {minute}: " if minute else "", symptom, f" (where: {scene})" if scene else "", ". "]
    parts += [f"It affects: {impact}. " if impact else "", f"You wish: {'; '.join(wishes)}. " if wishes else ""]
    return "".join([*parts, "Did I understand you rightly?"])


def _said(text: str) -> str:
    """In one line, without the full stop at its end: it becomes a part of a sentence."""
    return " ".join(text.split()).rstrip("。. ")
