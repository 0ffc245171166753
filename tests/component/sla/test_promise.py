"""The published promise (F11): open to everybody, with how it was kept last month."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import pytest

from shared.contracts.vocabulary import Language, Urgency
from shared.db import Database
from sla_service import pages
from sla_service.domain.months import share
from tests.component.sla.world import World
from tests.unit.sla.history import STANDARD, Story, at


@pytest.fixture
async def world(schema_of: Callable[[str], Awaitable[Database]]) -> World:
    """It is June. In May two of three first responses of medium urgency were in time and the one of high was late; the
    first of June does not count."""
    world = await World(await schema_of("sla"), "06-03 12:00").seeded()
    quick, slow, third = (Story(name, received="10:00") for name in ("quick", "slow", "third"))
    grave, young = Story("grave", received="10:00", urgency=Urgency.HIGH), Story("young", received="06-01 00:00")
    await world.hear(
        *(story.received() for story in (quick, slow, third, grave, young)),
        *(story.wrote("10:20", inbound=False) for story in (quick, third, grave)),
        slow.wrote("11:00", inbound=False),
        young.wrote("06-01 00:10", inbound=False),
    )
    return world


@pytest.fixture
async def anybody(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


async def test_the_promise_tells_how_it_was_kept_last_month(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/v1/promise")
    assert answer.headers["cache-control"] == "public, max-age=300"
    told = answer.json()
    assert told["month"] == {"from": "2024-05-01T00:00:00+08:00", "to": "2024-06-01T00:00:00+08:00"}
    lines = {line["metric"]: line["kept"] for line in told["data"][0]["lines"]}
    assert lines["first_response"] == {
        "high": {"clocks": 1, "on_time": 0, "share": 0.0},
        "medium": {"clocks": 3, "on_time": 2, "share": 0.6666},
        "low": {"clocks": 0, "on_time": 0, "share": None},
    }


async def test_the_page_tells_it_in_the_language_of_the_browser_or_of_the_link(anybody: httpx.AsyncClient) -> None:
    page = await anybody.get("/promise", headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.8"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (page.headers["cache-control"], page.headers["vary"]) == ("public, max-age=300", "Accept-Language")
    assert page.headers["content-language"] == "en"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    for text in ('<html lang="en">', "within 30 minutes", "66.6 %", "2 of 3", "0.0 %", "0 of 1", "2024-05"):
        assert text in page.text
    assert "100" not in page.text.partition("</style>")[2]
    chinese = (await anybody.get("/promise?lang=zh", headers={"Accept-Language": "en"})).text
    for text in ('<html lang="zh-CN">', "30 分钟内", "2 / 3 件", "无记录", "首次响应"):
        assert text in chinese


async def test_it_is_counted_anew_after_five_minutes(world: World, anybody: httpx.AsyncClient) -> None:
    async def on_time() -> int:
        found: int = (await anybody.get("/v1/promise")).json()["data"][0]["lines"][0]["kept"]["medium"]["on_time"]
        return found

    assert await on_time() == 2
    fourth = Story("fourth", received="10:00")
    await world.hear(fourth.received(), fourth.wrote("10:20", inbound=False))
    assert await on_time() == 2
    await world.clock.advance_to(at("06-03 12:05"))
    assert await on_time() == 3


async def test_what_a_policy_is_called_is_escaped_and_other_tracks_are_not_promised(
    schema_of: Callable[[str], Awaitable[Database]],
) -> None:
    world = await World(await schema_of("sla")).seeded()
    named = STANDARD[0].model_dump(mode="json") | {
        "policy_id": "named",
        "title": {"zh": "<script>", "en": "<b>"},
        "position": 1,
    }
    other = named | {"policy_id": "other", "track": "department", "title": {"zh": "内部", "en": "Inside"}}
    await world.publish(named, other)
    async with world.client() as anybody:
        page = (await anybody.get("/promise?lang=zh")).text
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "内部" not in page


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, None, "zh"),
        (None, "en", "en"),
        (None, "fr;q=1, en-US;q=0.5", "en"),
        (None, "en;q=0.4, zh-TW;q=0.7", "zh"),
        (None, "en;q=0", "zh"),
        (None, "en;q=oops, de", "zh"),
        ("en", "zh", "en"),
        ("fr", "en", "en"),
    ],
)
def test_the_language_is_the_links_then_the_browsers_then_chinese(
    asked: str | None, accepted: str | None, language: str
) -> None:
    assert pages.language_of(asked, accepted) is Language(language)


def test_a_share_is_rounded_down_and_there_is_none_of_nothing() -> None:
    assert [share(1, 3), share(19_999, 20_000), share(5, 5), share(0, 4), share(0, 0)] == [0.3333, 0.9999, 1, 0, None]
