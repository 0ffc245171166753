"""The work list: filters, orders, and pages that neither repeat nor hide a case."""

import itertools
from typing import Any

from shared.contracts.envelope import StaffContact
from shared.contracts.vocabulary import Channel, Metric, Urgency
from shared.ids import new_id
from shared.web.pages import Cursor, Value
from tests.component.resolution import builders as b
from tests.component.resolution.conftest import Desk
from tests.support.builders import at, facts, received


async def five_cases(desk: Desk) -> dict[str, str]:
    """Names by id: a late one, one near its breach, one with time, and two without a clock; it is 11:20."""
    wu = StaffContact(staff_id="agent-wu", name="吴工")
    late = facts(number="C-20240510-000001", urgency=Urgency.HIGH, received_at=at(-5))
    near = facts(number="C-20240510-000002", channel=Channel.EMAIL, received_at=at(-4))
    calm = facts(number="C-20240510-000003", organisation="100% 公司", received_at=at(-3))
    fresh = facts(number="C-20240510-000004", urgency=Urgency.LOW, received_at=at(-2), product=None)
    spam = facts(number="C-20240510-000005", received_at=at(-1), organisation=None)
    for of in (late, near, calm, fresh, spam):
        await desk.hear(received(of))
    await desk.hear(
        b.clock(late, Metric.RESOLUTION, 0.5, warn=0.4),
        b.clock(near, Metric.RESOLUTION, 2, warn=0.9),
        b.clock(calm, Metric.RESOLUTION, 8, warn=6),
        b.clock(calm, Metric.FIRST_RESPONSE, 9, warn=6),
        b.assigned(late),
        b.assigned(near, team="senior", agent=wu),
        b.classified(calm, responsible="product"),
    )
    await desk.move(spam.complaint_id, "rejected", reason="广告")
    cases = {"late": late, "near": near, "calm": calm, "fresh": fresh, "spam": spam}
    return {str(of.complaint_id): name for name, of in cases.items()}


NARROWED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["late", "near", "calm", "fresh", "spam"]),
    ({"state": "rejected"}, ["spam"]),
    ({"state": ["assessed", "rejected"]}, ["calm", "spam"]),
    ({"urgency": ["high", "low"]}, ["late", "fresh"]),
    ({"team": "support"}, ["late"]),
    ({"agent": "agent-wu"}, ["near"]),
    ({"channel": "email"}, ["near"]),
    ({"responsible": "product"}, ["calm"]),
    ({"overdue": True}, ["late"]),
    ({"overdue": False, "channel": "hotline"}, ["calm", "fresh", "spam"]),
    ({"near_breach": True}, ["near"]),
    ({"near_breach": False}, ["late", "calm", "fresh", "spam"]),
    ({"q": "000004"}, ["fresh"]),
    ({"q": "c-20240510-000002"}, ["near"]),
    ({"q": "100%"}, ["calm"]),
    ({"q": "网店"}, ["late", "near", "fresh"]),
    ({"q": "%"}, ["calm"]),
    ({"q": "没有"}, []),
    ({"sort": "received"}, ["late", "near", "calm", "fresh", "spam"]),
    ({"sort": "-received"}, ["spam", "fresh", "calm", "near", "late"]),
    ({"sort": "urgency"}, ["late", "near", "calm", "spam", "fresh"]),
]


async def test_the_list_is_narrowed_and_ordered(desk: Desk) -> None:
    names = await five_cases(desk)
    for params, expected in NARROWED:
        listed = [names[case["id"]] for case in (await desk.get("/v1/cases", **params))["data"]]
        if "sort" not in params:  # cases without a clock come last, in any order
            listed = sorted(listed, key=("late", "near", "calm", "fresh", "spam").index)
        assert listed == expected, params


async def test_those_without_a_running_clock_come_last(desk: Desk) -> None:
    names = await five_cases(desk)
    listed = [names[case["id"]] for case in (await desk.get("/v1/cases"))["data"]]
    assert listed[:3] == ["late", "near", "calm"]


async def test_page_after_page_shows_every_case_once_in_order(desk: Desk) -> None:
    await five_cases(desk)
    for sort, limit in itertools.product(("next_due", "received", "-received", "urgency"), (1, 2, 3)):
        whole = [case["id"] for case in (await desk.get("/v1/cases", sort=sort))["data"]]
        seen: list[str] = []
        path: str | None = f"/v1/cases?sort={sort}&limit={limit}"
        while path:
            answer = await desk.get(path)
            assert len(answer["data"]) <= limit
            seen += [case["id"] for case in answer["data"]]
            path = answer["links"]["next"]
        assert seen == whole, (sort, limit)


async def test_a_line_tells_what_is_due_next(desk: Desk) -> None:
    names = await five_cases(desk)
    lines = {names[case["id"]]: case for case in (await desk.get("/v1/cases"))["data"]}
    assert (lines["calm"]["next_due_at"], lines["calm"]["overdue"]) == ("2024-05-10T10:20:00Z", False)
    assert (lines["late"]["overdue"], lines["late"]["near_breach"]) == (True, False)
    assert (lines["near"]["overdue"], lines["near"]["near_breach"]) == (False, True)
    assert lines["fresh"]["next_due_at"] is None
    assert lines["near"]["agent"]["name"] == "吴工"


async def test_the_customers_cases_are_found_by_the_person(desk: Desk) -> None:
    first = facts()
    second = facts(person_id=first.customer.person_id, number="C-20240510-000002")
    await desk.hear(received(first), received(second), received(facts()))
    listed = await desk.get("/v1/cases", customer=str(first.customer.person_id))
    assert {case["number"] for case in listed["data"]} == {first.number, second.number}


async def test_a_cursor_of_another_order_is_refused(desk: Desk) -> None:
    await five_cases(desk)

    async def cursor(**params: Any) -> str:
        return str((await desk.get("/v1/cases", limit=1, **params))["links"]["next"]).split("cursor=")[1].split("&")[0]

    by_urgency, by_receipt = await cursor(sort="urgency"), await cursor(sort="received")
    for query in (f"sort=received&cursor={by_urgency}", f"sort=urgency&cursor={by_receipt}"):
        refused = await desk.client.get(f"/v1/cases?{query}")
        assert (refused.status_code, refused.json()["type"]) == (400, "urn:redress:problem:bad-cursor")


async def test_forged_cursors_are_refused(desk: Desk) -> None:
    def make(*values: Value) -> str:
        return str(Cursor(values))

    for query in (
        f"sort=next_due&cursor={make('tomorrow', new_id())}",
        f"sort=urgency&cursor={make(10**30, None, new_id())}",
        f"sort=urgency&cursor={make(1, 'x', new_id())}",
        f"sort=received&cursor={make(None, new_id())}",
    ):
        assert (await desk.client.get(f"/v1/cases?{query}")).status_code == 400
    assert (await desk.client.get(f"/v1/transfers?cursor={make('x', new_id())}")).status_code == 400


async def test_transfer_tasks_are_paged_oldest_first(desk: Desk) -> None:
    of = await desk.in_progress()
    await desk.hear(b.team())
    path = f"/v1/cases/{of.complaint_id}/transfers"
    made = [(await desk.done(path, {"team_id": "rnd", "ask": f"{n}"}))["task_id"] for n in range(3)]
    first = await desk.get("/v1/transfers", limit=2)
    second = await desk.get(first["links"]["next"])
    assert [task["task_id"] for task in [*first["data"], *second["data"]]] == made
