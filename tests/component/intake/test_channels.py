"""Channels as data (A1): who states them, what is refused, how they do."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from intake_service.channels import KINDS, Kind, PullSettings
from intake_service.usecases.seeding import ChannelsFileError, seed_channels
from shared.contracts.vocabulary import Channel
from shared.web.auth import Role
from tests.component.intake.test_messages import send

CHANNEL = {
    "kind": "api",
    "channel": "email",
    "account": "help@shop.example",
    "title": {"zh": "客服邮箱", "en": "Support mailbox"},
    "owner_team": "mail-team",
    "co_owner_team": "brand",
}


class _MailSettings(PullSettings):
    host: str


@pytest.fixture
def made_up(monkeypatch):
    async def pull(channel, cursor):
        return
        yield

    kind = Kind("made_up", Channel.EMAIL, _MailSettings, frozenset({"password"}), pull=pull)
    monkeypatch.setitem(KINDS, "made_up", kind)


MADE_UP = {
    "kind": "made_up",
    "account": "box",
    "title": {"zh": "邮箱", "en": "Mail"},
    "owner_team": "mail-team",
    "settings": {"host": "mail.example"},
    "secrets": {"password": "env:INTAKE_SECRET_BOX"},
}


async def put(intake, channel_id, body, role=Role.ADMIN, **headers):
    return await (await intake.client(role)).put(f"/v1/channels/{channel_id}", json=body, headers=headers)


async def test_a_channel_is_stated_changed_and_disabled_and_every_revision_stays(intake):
    made = await put(intake, "mail", CHANNEL)
    assert (made.status_code, made.headers["ETag"], made.json()["health"]) == (201, '"1"', "healthy")
    again = await put(intake, "mail", CHANNEL)
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    changed = await put(intake, "mail", CHANNEL | {"owner_team": "second-line"}, **{"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["owner_team"], changed.json()["revision"]) == (200, "second-line", 2)
    late = await put(intake, "mail", CHANNEL, **{"If-Match": '"1"'})
    assert (late.status_code, late.headers["ETag"]) == (412, '"2"')
    gone = await (await intake.client(Role.ADMIN)).delete("/v1/channels/mail")
    assert (gone.status_code, gone.json()["enabled"], gone.json()["health"]) == (200, False, "disabled")
    (listed,) = (await intake.get("/v1/channels", Role.LEAD)).json()["data"]
    assert listed == (await intake.get("/v1/channels/mail", Role.LEAD)).json()
    assert (listed["revision"], listed["channel"], listed["changed_by"]["id"]) == (3, "email", "agent-li")
    assert await intake.one("select count(*) from channels") == 3


async def test_channels_are_stated_by_admins_and_seen_by_leads(intake):
    for role, status in ((Role.LEAD, 200), (Role.AGENT, 403), (Role.ADAPTER, 403)):
        assert (await put(intake, "mail", CHANNEL, role)).status_code == 403
        assert (await intake.get("/v1/channels", role)).status_code == status
    assert (await intake.get("/v1/channels/mail", Role.LEAD)).status_code == 404
    assert (await (await intake.client(Role.ADMIN)).delete("/v1/channels/mail")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "pigeon"}, "/kind"),
        ({"channel": "hotline"}, "/channel"),
        ({"settings": {}}, "/settings/host"),
        ({"settings": {"host": "h", "colour": "red"}}, "/settings/colour"),
        ({"settings": {"host": "h", "poll_seconds": 0}}, "/settings/poll_seconds"),
        ({"settings": {"host": "a\u0000"}}, "/settings"),
        ({"secrets": {}}, "/secrets"),
        ({"secrets": {"password": "env:INTAKE_SECRET_BOX", "other": "env:INTAKE_SECRET_X"}}, "/secrets/other"),
        ({"secrets": {"password": "hunter2"}}, "/secrets/password"),
        ({"secrets": {"password": "env:PATH"}}, "/secrets/password"),
        ({"owner_team": ""}, "/owner_team"),
    ],
)
async def test_what_breaks_the_rules_of_a_kind_is_refused_with_a_pointer(intake, made_up, changes, pointer):
    answer = await put(intake, "box", MADE_UP | changes)
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])
    assert await intake.one("select count(*) from channels") == 0


async def test_a_channel_keeps_its_kind_its_channel_and_its_account(intake):
    await put(intake, "mail", CHANNEL)
    answer = await put(intake, "mail", CHANNEL | {"account": "sales@shop.example"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/account")


async def test_a_missing_secret_makes_the_channel_unhealthy_and_tells_what_to_set(
    intake, made_up, monkeypatch, tmp_path
):
    answer = await put(intake, "box", MADE_UP)
    assert (answer.status_code, answer.json()["health"]) == (201, "unhealthy")
    assert answer.json()["problems"] == ["Secret 'password': set the environment variable INTAKE_SECRET_BOX."]
    monkeypatch.setenv("INTAKE_SECRET_BOX", "a secret")
    shown = await intake.get("/v1/channels/box", Role.ADMIN)
    assert (shown.json()["health"], shown.json()["problems"]) == ("idle", [])
    assert "a secret" not in shown.text


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("box/password", None),
        ("../outside", "is not below INTAKE_SECRETS_DIR"),
        ("nowhere", "can't be read (FileNotFoundError)"),
        ("box", "can't be read (IsADirectoryError)"),
    ],
)
async def test_a_secret_in_a_file_lies_below_the_folder_of_secrets(intake, made_up, tmp_path, place, problem):
    (tmp_path / "secrets" / "box").mkdir(parents=True)
    (tmp_path / "secrets" / "box" / "password").write_text("a secret\n")
    (tmp_path / "outside").write_text("not yours")
    deps = intake.services[0].deps
    settings = deps.settings.model_copy(update={"secrets_dir": tmp_path / "secrets"})
    intake.services[0].app.state.deps = replace(deps, settings=settings)
    told = (await put(intake, "box", MADE_UP | {"secrets": {"password": f"file:{place}"}})).json()["problems"]
    assert told == [] if problem is None else problem in told[0]


async def test_what_can_not_be_understood_is_in_the_charge_of_its_channels_team(intake):
    await put(intake, "mail", CHANNEL)
    await send(intake, content__text=" ")
    await send(intake, content__text=" ", source__account="other@shop.example", source__message_id="m-2")
    owners = [each["owner"] for each in (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]]
    assert owners == ["mail-team", "intake-leads"]


FILE = """
- channel_id: mail
  kind: api
  channel: email
  account: help@shop.example
  title: {{zh: 客服邮箱, en: Support mailbox}}
  owner_team: {owner}
"""


async def test_the_file_is_put_into_the_table_where_it_says_something_new(intake, tmp_path):
    path = tmp_path / "channels.yaml"
    deps = intake.services[0].deps
    deps = replace(deps, settings=deps.settings.model_copy(update={"channels": path}))

    async def owner_after(owner):
        path.write_text(FILE.format(owner=owner))
        await seed_channels(deps)
        return (await intake.get("/v1/channels/mail", Role.LEAD)).json()["owner_team"]

    assert await owner_after("mail-team") == "mail-team"
    assert (await put(intake, "mail", CHANNEL | {"owner_team": "by-hand"})).status_code == 200
    assert await owner_after("mail-team") == "by-hand"
    assert await owner_after("second-line") == "second-line"
    assert await intake.one("select count(*) from channels") == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- {", "not YAML"),
        ("mail: {kind: api}", "the whole, which is a list of channels: Input should be a valid array"),
        ("- {channel_id: mail, kind: pigeon}", "/0/account: Field required"),
        (FILE.format(owner="a") * 2, "channel mail is there twice"),
        (FILE.format(owner="a").replace("kind: api", "kind: pigeon"), "channel mail: /kind: There is no kind"),
    ],
)
async def test_a_file_that_can_not_be_used_changes_nothing_and_says_why(intake, tmp_path, content, told):
    path = tmp_path / "channels.yaml"
    path.write_text(content)
    deps = intake.services[0].deps
    with pytest.raises(ChannelsFileError, match=r"channels\.yaml: ") as error:
        await seed_channels(replace(deps, settings=deps.settings.model_copy(update={"channels": path})))
    assert told in str(error.value)
    assert await intake.one("select count(*) from channels") == 0


async def test_the_examples_of_the_pages_of_channels_can_be_put_into_the_file(intake, tmp_path):
    pages = sorted((Path(__file__).parents[3] / "docs" / "channels").glob("*.md"))
    examples = [example for page in pages for example in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]
    path = tmp_path / "channels.yaml"
    path.write_text("".join(examples))
    deps = intake.services[0].deps
    await seed_channels(replace(deps, settings=deps.settings.model_copy(update={"channels": path})))
    listed = (await intake.get("/v1/channels", Role.LEAD)).json()["data"]
    assert len(listed) == len(examples) >= 6


async def test_every_kind_tells_its_settings_and_secrets(intake):
    kinds = {each["kind"]: each for each in (await intake.get("/v1/channel-kinds", Role.ADMIN)).json()["data"]}
    assert set(kinds) == set(KINDS)
    assert (kinds["imap"]["channel"], kinds["imap"]["fetched"], kinds["imap"]["secrets"]) == (
        "email",
        True,
        ["password"],
    )
    assert "host" in kinds["imap"]["settings"]["required"]
    assert (kinds["api"]["channel"], kinds["api"]["settings"]["properties"]) == (None, {})
