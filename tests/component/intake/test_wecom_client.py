"""Our side of WeCom's server API, against the simulator over a real socket."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from intake_service.channels.wecom.client import download, sync
from shared.errcode import PEACE, ErrCode, TryLater, WeComApi
from tests.support.wecom import ACCOUNT, CORP_ID, CORP_SECRET, Platform, customer_says, served

NOW = 1_715_307_660.0


@pytest.fixture
async def platform() -> AsyncGenerator[Platform]:
    async with served(Platform(NOW)) as each:
        yield each


@pytest.fixture
async def api(platform) -> AsyncGenerator[WeComApi]:
    async with httpx.AsyncClient() as http:
        yield WeComApi(http, CORP_ID, CORP_SECRET, platform.url, monotonic=lambda: platform.now)


def calls(platform, path):
    return len(platform.calls_of(f"/cgi-bin/{path}"))


async def pulled(api, cursor="", **rest):
    """Everything from `cursor` on, and the cursor after it."""
    ids: list[str] = []
    while True:
        batch = await sync(api, ACCOUNT, cursor, **rest)
        ids += [item["msgid"] for item in batch.items]
        cursor = batch.cursor
        if not batch.more:
            return ids, cursor


async def test_everything_is_pulled_page_by_page_and_then_what_is_new(platform, api):
    platform.items = [customer_says(f"m-{n}", NOW) for n in range(7)]
    platform.most = 3
    ids, cursor = await pulled(api)
    assert ids == [f"m-{n}" for n in range(7)]
    platform.items.append(customer_says("m-7", NOW))
    assert (await pulled(api, cursor))[0] == ["m-7"]


async def test_an_empty_list_with_more_to_come_is_not_the_end(platform, api):
    platform.items = [customer_says("m-1", NOW)]
    platform.hollow = 2
    assert (await pulled(api))[0] == ["m-1"]
    assert calls(platform, "kf/sync_msg") == 3


async def test_one_token_serves_all_calls_until_shortly_before_it_ends(platform, api):
    for _ in range(3):
        await pulled(api)
    assert calls(platform, "gettoken") == 1
    platform.now += 7200 - 119
    await pulled(api)
    assert calls(platform, "gettoken") == 2


async def test_a_token_that_ended_before_its_time_is_fetched_anew_once(platform, api):
    await pulled(api)
    platform.expire_tokens()
    platform.items = [customer_says("m-1", NOW)]
    assert (await pulled(api))[0] == ["m-1"]
    assert calls(platform, "gettoken") == 2
    platform.refusals["/cgi-bin/kf/sync_msg"] = [40014, 40014]
    with pytest.raises(ErrCode, match="40014"):
        await pulled(api)


async def test_too_often_and_busy_ask_for_patience(platform, api):
    platform.bare_syncs_a_minute = 1
    await pulled(api)
    with pytest.raises(TryLater, match="45009") as often:
        await pulled(api)
    assert often.value.seconds == PEACE
    platform.sync_tokens = {"ENC-1"}
    assert await pulled(api, token="ENC-1")
    platform.refusals["/cgi-bin/kf/sync_msg"] = [-1]
    with pytest.raises(TryLater, match="errcode -1"):
        await pulled(api)


async def test_a_callback_token_that_is_over_does_not_stop_the_pull(platform, api):
    platform.items = [customer_says("m-1", NOW)]
    assert (await pulled(api, token="ENC-over"))[0] == ["m-1"]


async def test_a_wrong_secret_is_told_without_the_secret(platform):
    async with httpx.AsyncClient() as http:
        with pytest.raises(ErrCode, match="40001") as wrong:
            await sync(WeComApi(http, CORP_ID, "wrong-secret", platform.url), ACCOUNT, "")
        away = WeComApi(http, CORP_ID, "another-secret", "http://127.0.0.1:1")
        with pytest.raises(TryLater) as gone:
            await sync(away, ACCOUNT, "")
    assert "secret" not in f"{wrong.value}{gone.value}"


async def test_a_file_is_streamed_with_its_name(platform, api):
    platform.files["media-1"] = ("invoice.json", "application/json", b'{"errcode": 40007}')
    async with download(api, "media-1") as file:
        assert (file.name, file.media_type) == ("invoice.json", "application/json")
        assert b"".join([chunk async for chunk in file.chunks]) == b'{"errcode": 40007}'
    platform.expire_tokens()
    async with download(api, "media-1") as file:
        assert file.name == "invoice.json"
    with pytest.raises(ErrCode, match="40007"):
        async with download(api, "media-2"):
            pass
