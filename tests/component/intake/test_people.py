"""Complainants: known again, their history in view, their data guarded and erased (A6, A9)."""

import pytest
from sqlalchemy import text

from intake_service.events import CONSUMES
from shared.contracts.vocabulary import CaseState
from shared.web.auth import Role
from tests.component.intake.conftest import complaint
from tests.support.builders import at, facts, moved, resolved

SECRETS = ("13812341234", "138****1234", "王女士", "王*", "某网店公司", "shop-1001", "加载失败", "两小时内修复", "机密")


async def hear(intake, *events):
    async with intake.database.session() as tx:
        for event in events:
            await CONSUMES[type(event)]([event], tx, intake.services[0].deps)


def case_of(told):
    return facts(told["id"], number=told["number"], person_id=told["complainant_id"])


async def test_the_same_phone_is_the_same_complainant_and_earlier_complaints_are_in_view(intake):
    first = await intake.receive()
    await hear(intake, moved(case_of(first), CaseState.RESOLVED, 5, when=at(2)), resolved(case_of(first)))
    second = await intake.receive(
        channel__message_id="call-2", complainant__phones=["+86 138-1234-1234"], complainant__account_id=None
    )
    assert second["complainant_id"] == first["complainant_id"]
    assert (first["earlier_complaints"], second["earlier_complaints"]) == (0, 1)

    history = (await intake.get(f"/v1/complainants/{first['complainant_id']}")).json()
    assert history["complaints_total"] == 2
    assert history["complainant"]["phones"] == ["138****1234"]
    outcomes = {item["number"]: item["outcome"] for item in history["complaints"]}
    assert outcomes[second["number"]] is None
    assert outcomes[first["number"]]["state"] == "resolved"
    assert outcomes[first["number"]]["result"]["cause"] == "数据库索引失效,查询超时"
    assert (await intake.outbox())[1][1]["earlier_complaints"] == 1


async def test_the_complaints_of_a_complainant_come_in_pages_the_latest_first(intake):
    told = [await intake.receive(channel__message_id=f"call-{place}") for place in range(5)]
    await intake.receive(
        channel__message_id="other", complainant__phones=["13900001111"], complainant__account_id="shop-2"
    )
    seen, path = [], f"/v1/complaints?complainant={told[0]['complainant_id']}&limit=2"
    while path:
        page = (await intake.get(path)).json()
        seen += [item["number"] for item in page["data"]]
        path = page["links"]["next"]
    assert seen == [each["number"] for each in reversed(told)]


async def test_new_contacts_are_told_with_a_higher_revision_and_unchanged_ones_are_not_told(intake):
    await intake.receive()
    await intake.receive(channel__message_id="call-2")
    await intake.receive(channel__message_id="call-3", complainant__emails=["Wang@Example.com"])
    told = [event for _, event in await intake.outbox("redress.intake.contacts")]
    assert [(event["revision"], event["emails"]) for event in told] == [(1, []), (2, ["wang@example.com"])]


async def test_a_caller_is_looked_up_by_phone_before_anything_is_recorded(intake):
    told = await intake.receive()
    found = await intake.post("/v1/complainants/search", {"phones": ["138 1234 1234"]})
    assert [person["id"] for person in found.json()["data"]] == [told["complainant_id"]]
    assert found.json()["data"][0]["name"] == "王*"
    assert (await intake.post("/v1/complainants/search", {"phones": ["13900001111"]})).json() == {"data": []}


async def test_whole_contacts_are_shown_to_who_may_see_them_and_the_look_is_recorded(intake):
    person = (await intake.receive())["complainant_id"]
    shown = await intake.get(f"/v1/complainants/{person}/contacts?reason=回访")
    assert shown.json()["phones"] == ["+8613812341234"]
    assert shown.json()["name"] == "王女士"
    (access,) = (await intake.get(f"/v1/complainants/{person}/contact-accesses", Role.QUALITY)).json()["data"]
    assert (access["actor"]["id"], access["reason"]) == ("agent-li", "回访")
    assert access["accessed_at"] == "2024-05-10T02:21:00Z"


@pytest.mark.parametrize("role", [Role.QUALITY, Role.ADAPTER])
async def test_who_may_not_see_whole_contacts_gets_none_and_leaves_no_access(intake, role):
    person = (await intake.receive())["complainant_id"]
    assert (await intake.get(f"/v1/complainants/{person}/contacts", role)).status_code == 403
    assert await intake.one("select count(*) from contact_accesses") == 0


async def everything(intake):
    """Every row of the schema but what waits in the outbox, as text."""
    names = await intake.rows(
        "select table_name from information_schema.tables where table_schema = 'intake' and table_name <> 'outbox'"
    )
    found = []
    for (name,) in names:
        async with intake.database.reading() as session:
            rows = await session.execute(text(f"select to_jsonb(t)::text from {name} t"))  # noqa: S608
            found += [row[0] for row in rows]
            if name == "idempotency_keys":
                bodies = await session.execute(text("select convert_from(body, 'utf8') from idempotency_keys"))
                found += [row[0] for row in bodies]
    return "\n".join(found)


async def test_erasure_leaves_nothing_of_the_person(intake):
    body = complaint(attachments=[{"name": "机密.png"}])
    told = (await intake.post("/v1/complaints", body, headers={"Idempotency-Key": "a"})).json()
    other = await intake.receive(
        channel__message_id="other",
        complainant={"name": "李四", "phones": ["13900001111"]},
        symptom="另一件事",
        scene="",
        demands=[],
    )
    path = f"/v1/complaints/{told['id']}"
    message = {"direction": "inbound", "channel": {"channel": "chat"}, "text": "机密消息"}
    await intake.post(f"{path}/messages", message, headers={"Idempotency-Key": "b"})
    await intake.post(f"{path}/notes", {"text": "机密备注"}, headers={"Idempotency-Key": "c"})
    link = {"relation": "related_to", "other": other["number"], "reason": "机密原因"}
    await intake.post(f"{path}/links", link, headers={"Idempotency-Key": "d"})
    await hear(intake, resolved(case_of(told)))
    before = await everything(intake)
    assert all(secret in before for secret in ("13812341234", "王女士", "加载失败", "机密消息", "数据库索引失效"))

    erased = await intake.post(f"/v1/complainants/{told['complainant_id']}/erasure", None, Role.ADMIN)
    assert erased.json() == {
        "complainant_id": told["complainant_id"],
        "erased_at": "2024-05-10T02:21:00Z",
        "complaints": 1,
    }
    after = await everything(intake)
    assert [secret for secret in (*SECRETS, "数据库索引失效") if secret in after] == []
    assert "李四" in after
    assert "另一件事" in after
    kind, event = (await intake.outbox())[-1]
    assert (kind, event["person_id"]) == ("redress.person.erased.v1", told["complainant_id"])
    assert event["complaint_ids"] == [told["id"]]
    tombstone = (await intake.outbox("redress.intake.contacts"))[-1]
    assert tombstone == ("redress.contacts.erased.v1", None)

    shown = (await intake.get(path)).json()
    assert (shown["erased"], shown["symptom"], shown["complainant"]["display"]) == (True, "", "*")
    assert shown["number"] == told["number"]


async def test_erasing_twice_says_the_same_and_tells_nobody_again(intake):
    person = (await intake.receive())["complainant_id"]
    first = await intake.post(f"/v1/complainants/{person}/erasure", None, Role.ADMIN)
    told = len(await intake.outbox())
    again = await intake.post(f"/v1/complainants/{person}/erasure", None, Role.ADMIN)
    assert again.json() == first.json()
    assert len(await intake.outbox()) == told


async def test_after_erasure_a_repeated_delivery_brings_nothing_back_and_a_new_complaint_is_of_a_new_person(intake):
    told = await intake.receive()
    await intake.post(f"/v1/complainants/{told['complainant_id']}/erasure", None, Role.ADMIN)
    again = await intake.post("/v1/complaints", complaint())
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    assert await intake.one("select count(*) from identities") == 0
    new = await intake.receive(channel__message_id="call-2")
    assert new["complainant_id"] != told["complainant_id"]
    refused = await intake.post(f"/v1/complaints/{told['id']}/notes", {"text": "补充"})
    assert refused.json()["type"] == "urn:redress:problem:complainant-erased"


async def test_a_result_that_comes_after_the_erasure_is_not_kept(intake):
    told = await intake.receive()
    await intake.post(f"/v1/complainants/{told['complainant_id']}/erasure", None, Role.ADMIN)
    await hear(intake, resolved(case_of(told)))
    assert "数据库索引失效" not in await everything(intake)


async def test_only_an_admin_erases(intake):
    person = (await intake.receive())["complainant_id"]
    assert (await intake.post(f"/v1/complainants/{person}/erasure", None, Role.MANAGER)).status_code == 403


async def test_an_unknown_complainant_is_a_404(intake):
    nobody = "00000000-0000-7000-8000-000000000000"
    for path in ("", "/contacts", "/contact-accesses"):
        answer = await intake.get(f"/v1/complainants/{nobody}{path}", Role.ADMIN)
        assert answer.status_code == 404, path
    assert (await intake.post(f"/v1/complainants/{nobody}/erasure", None, Role.ADMIN)).status_code == 404


async def test_states_and_results_are_the_same_in_any_order_of_arrival(intake):
    told = await intake.receive()
    case = case_of(told)
    events = [
        moved(case, CaseState.RESOLVED, 4, when=at(2)),
        resolved(case),
        moved(case, CaseState.REOPENED, 6, cycle=2, when=at(30)),
        resolved(case, cycle=2, when=at(40)),
        moved(case, CaseState.CLOSED, 9, cycle=2, when=at(50)),
    ]
    seen = set()
    for order in (events, events[::-1], [events[2], events[4], events[0], events[3], events[1], *events]):
        await intake.run("delete from outcomes")
        await hear(intake, *order)
        seen.add(str((await intake.get(f"/v1/complaints/{told['id']}")).json()["outcome"]))
    (outcome,) = seen
    assert "'closed'" in outcome
    assert "'cycle': 2" in outcome
