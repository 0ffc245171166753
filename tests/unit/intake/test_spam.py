"""What looks like spam, how much, and why."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from intake_service.domain.spam import SHORT, Seen, Sign, alike, weigh
from intake_service.usecases.repeats import Repeats
from intake_service.usecases.spam import filled_in

NOW = datetime(2024, 5, 10, 2, 21, tzinfo=UTC)
ZH = (
    "查询最近七天的订单时一直提示加载失败，无法核对库存，发货已经受到影响，请尽快处理并且告知原因和恢复时间，谢谢你们。"
)
EN = "The orders of the last seven days do not load, and so we cannot ship anything. Please help us today."
LINKS_ZH = "低价代办，详情请看 http://a.example https://b.example www.c.example"
LINKS_EN = "Cheap offers: HTTP://a.example, https://b.example and WWW.c.example"


@pytest.mark.parametrize(
    ("text", "seen", "score", "reasons"),
    [
        (ZH, Seen(), None, ()),
        (EN, Seen(), None, ()),
        ("页面 https://shop.example/orders 打不开，截图 https://shop.example/1.png", Seen(), None, ()),
        (LINKS_ZH, Seen(), 0.4, (Sign.LINKS,)),
        (LINKS_EN, Seen(), 0.4, (Sign.LINKS,)),
        (ZH, Seen(trap_filled=True), 0.8, (Sign.TRAP_FILLED,)),
        (EN, Seen(seconds=2.9), 0.3, (Sign.TOO_FAST,)),
        (EN, Seen(seconds=3), None, ()),
        (EN, Seen(seconds=-5), None, ()),
        (ZH, Seen(senders=4), None, ()),
        (ZH, Seen(senders=5), 0.5, (Sign.REPEATED,)),
        (EN, Seen(bulk=True), 0.4, (Sign.BULK,)),
        (EN, Seen(unauthenticated=True), 0.4, (Sign.UNAUTHENTICATED,)),
        (EN, Seen(bulk=True, unauthenticated=True), 0.64, (Sign.BULK, Sign.UNAUTHENTICATED)),
        (LINKS_ZH, Seen(senders=5), 0.7, (Sign.LINKS, Sign.REPEATED)),
        (LINKS_EN, Seen(True, 1, 9, True, True), 0.98, tuple(Sign)),
    ],
)
def test_a_score_follows_from_its_reasons(text, seen, score, reasons):
    found = weigh(text, seen)
    assert (score, reasons) == (None, ()) if found is None else (found.score, found.reasons) == (score, reasons)


def test_texts_are_the_same_whatever_their_case_blanks_and_punctuation():
    assert alike(EN) == alike(EN.upper().replace(" ", "\n").replace(".", "!"))
    assert alike(ZH) == alike(ZH.replace("，", ", "))
    assert alike("打不开") is None
    assert alike("打" * SHORT) is not None


def test_senders_are_counted_once_each_for_an_hour_and_short_texts_never():
    repeats = Repeats(most=2)
    assert [repeats.senders(ZH, sender, NOW) for sender in "aab"] == [1, 1, 2]
    assert [repeats.senders("打不开", sender, NOW) for sender in "abcdef"] == [1] * 6
    assert repeats.senders(ZH, "c", NOW + timedelta(hours=1)) == 3
    assert repeats.senders(ZH, "d", NOW + timedelta(hours=1, seconds=1)) == 1
    for text in (EN, EN + "x"):
        repeats.senders(text, "a", NOW)
    assert repeats.senders(ZH, "e", NOW) == 1


def test_a_forms_id_tells_when_it_was_opened():
    opened = UUID(int=(int((NOW.timestamp() - 2) * 1000) << 80) | (7 << 76) | (2 << 62))
    assert filled_in(opened, NOW) == pytest.approx(2, abs=0.001)
    assert filled_in(UUID("11111111-1111-4111-8111-111111111111"), NOW) is None
