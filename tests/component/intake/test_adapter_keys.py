"""Keys of channel adapters (G3)."""

import pytest

from shared.web.auth import Role, hash_key
from tests.component.intake.conftest import complaint

KEYS = "/v1/adapter-keys"


async def issue(intake, **body):
    answer = await intake.post(KEYS, {"name": "wecom adapter", **body}, Role.ADMIN)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def post_with(intake, key, body, path="/v1/complaints"):
    client = await intake.client()
    return await client.post(path, json=body, headers={"X-API-Key": key})


async def test_a_key_is_shown_once_and_kept_as_a_hash(intake):
    issued = await issue(intake)
    assert await intake.one("select hash from adapter_keys") == hash_key(issued["key"])
    listed = (await intake.get(KEYS, Role.ADMIN)).json()["data"]
    assert [(key["id"], key["prefix"]) for key in listed] == [(issued["id"], issued["key"][:11])]
    assert issued["key"] not in str(listed)


async def test_an_adapter_sends_in_complaints_with_its_key_and_is_their_actor(intake):
    issued = await issue(intake)
    answer = await post_with(intake, issued["key"], complaint())
    assert answer.status_code == 201
    ((_, event),) = await intake.outbox()
    assert event["actor"] == {"kind": "adapter", "id": issued["id"], "name": "wecom adapter"}
    assert await intake.one("select recorded_by from complaints") == "wecom adapter"


@pytest.mark.parametrize(
    ("channel", "account", "status", "pointer"),
    [
        ("wecom", "shop-service", 201, None),
        ("wecom", "another", 403, "/channel/account"),
        ("hotline", "shop-service", 403, "/channel/channel"),
    ],
)
async def test_a_bound_key_is_good_for_its_channel_and_account_alone(intake, channel, account, status, pointer):
    key = (await issue(intake, channel="wecom", account="shop-service"))["key"]
    answer = await post_with(intake, key, complaint(channel={"channel": channel, "account": account}))
    assert answer.status_code == status
    if pointer:
        assert answer.json()["type"] == "urn:redress:problem:not-your-channel"
        assert answer.json()["errors"][0]["pointer"] == pointer
    told = await intake.receive(channel__message_id="another")
    message = {"direction": "inbound", "channel": {"channel": channel, "account": account}, "text": "你好"}
    assert (await post_with(intake, key, message, f"/v1/complaints/{told['id']}/messages")).status_code == status


async def test_a_revoked_key_is_refused(intake):
    issued = await issue(intake)
    client = await intake.client(Role.ADMIN)
    revoked = await client.delete(f"{KEYS}/{issued['id']}")
    assert revoked.json()["revoked_at"] == "2024-05-10T02:21:00Z"
    assert (await client.delete(f"{KEYS}/{issued['id']}")).json() == revoked.json()
    assert (await post_with(intake, issued["key"], complaint())).status_code == 401


async def test_only_an_admin_handles_keys(intake):
    assert (await intake.post(KEYS, {"name": "x"}, Role.MANAGER)).status_code == 403
    assert (await intake.get(KEYS, Role.ADAPTER)).status_code == 403
    client = await intake.client(Role.ADMIN)
    assert (await client.delete(f"{KEYS}/00000000-0000-7000-8000-000000000000")).status_code == 404


async def test_an_unknown_key_is_refused(intake):
    assert (await post_with(intake, "rk_made-up", complaint())).status_code == 401
