"""What `POST /v1/complaints` promises to one caller."""

import pytest

from shared.web.auth import Role
from tests.component.intake.conftest import complaint


async def test_a_complaint_is_answered_with_its_number_and_kept_whole(intake):
    answer = await intake.post("/v1/complaints", complaint())
    assert answer.status_code == 201
    told = answer.json()
    assert told["number"] == "C-20240510-000001"
    assert told["urgency"] == "medium"
    assert told["missing"] == []
    assert answer.headers["Location"] == f"/v1/complaints/{told['id']}"

    shown = (await intake.get(f"/v1/complaints/{told['number']}")).json()
    assert shown["id"] == told["id"]
    assert shown["symptom"] == "查询最近七天的订单时提示加载失败，无法核对库存"
    assert shown["happened_at"] == "2024-05-10T02:15:00Z"
    assert shown["received_at"] == "2024-05-10T02:20:00Z"
    assert shown["recorded_at"] == "2024-05-10T02:21:00Z"
    assert shown["recorded_by"] == "李工"
    assert shown["source"] == {
        "channel": "hotline",
        "account": "4008001234",
        "seat": "seat-07",
        "message_id": "call-20240510-0001",
    }
    assert shown["demands"][1] == {
        "text": "赔偿延迟发货的损失",
        "amount": {"amount_minor": 50000, "currency": "CNY"},
        "deadline": None,
    }
    assert shown["complainant"]["name"] == "王*"
    assert shown["complainant"]["phones"] == ["138****1234"]
    assert shown["read_back"].startswith("2024-05-10 10:15 起，在“订单管理系统，查询最近七天的订单”时，您遇到：")


async def test_the_event_tells_all_but_the_contacts_which_go_to_their_own_topic(intake):
    told = await intake.receive()
    ((kind, event),) = await intake.outbox()
    assert kind == "redress.complaint.received.v1"
    assert event["facts"] == {
        "complaint_id": told["id"],
        "number": "C-20240510-000001",
        "received_at": "2024-05-10T02:20:00Z",
        "channel": "hotline",
        "urgency": "medium",
        "urgency_revision": 0,
        "customer": {
            "person_id": told["complainant_id"],
            "display": "138****1234",
            "language": "zh",
            "preferred_channel": None,
            "level": "standard",
        },
        "organisation": "某网店公司",
        "product": "order-management",
        "region": "CN-ZJ",
    }
    assert event["occurred_at"] == "2024-05-10T02:20:00Z"
    assert event["recorded_at"] == "2024-05-10T02:21:00Z"
    assert event["actor"] == {"kind": "person", "id": "agent-li", "name": "李工"}
    assert event["demands"][0]["deadline"] == "2024-05-10T04:20:00Z"
    assert "13812341234" not in str(event)
    assert "王女士" not in str(event)
    ((kind, contacts),) = await intake.outbox("redress.intake.contacts")
    assert kind == "redress.contacts.changed.v1"
    assert contacts["person_id"] == told["complainant_id"]
    assert contacts["phones"] == ["+8613812341234"]
    assert contacts["name"] == "王女士"
    assert contacts["revision"] == 1


async def test_what_the_template_wants_and_the_record_lacks_is_asked_for(intake):
    bare = {"channel": {"channel": "wecom"}, "symptom": "登录不了"}
    told = (await intake.post("/v1/complaints", bare)).json()
    asked = {part["pointer"]: part["question"] for part in told["missing"]}
    assert list(asked) == [
        "/complainant/name",
        "/complainant/phones",
        "/complainant/account_id",
        "/happened_at",
        "/scene",
        "/impact",
        "/demands",
        "/product",
    ]
    assert asked["/demands"] == {"zh": "您希望我们怎样解决？", "en": "How would you like us to settle it?"}
    enquiry = (await intake.post("/v1/complaints", {**bare, "kind": "enquiry"})).json()
    assert [part["pointer"] for part in enquiry["missing"]] == ["/complainant/phones", "/product"]


async def test_the_same_delivery_again_is_answered_with_the_first_complaint(intake):
    first = await intake.post("/v1/complaints", complaint())
    again = await intake.post("/v1/complaints", complaint(symptom="同一条消息的第二次投递"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(await intake.outbox()) == 1


async def test_the_same_message_id_of_another_account_is_another_complaint(intake):
    await intake.receive()
    await intake.receive(channel__account="4009999999")
    assert await intake.one("select count(*) from complaints") == 2


async def test_the_same_idempotency_key_gives_the_first_answer_again(intake):
    body = complaint(channel__message_id=None)
    key = {"Idempotency-Key": "8e03978e-40d5"}
    first = await intake.post("/v1/complaints", body, headers=key)
    again = await intake.post("/v1/complaints", body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await intake.one("select count(*) from complaints") == 1


async def test_the_same_idempotency_key_with_another_body_is_refused(intake):
    key = {"Idempotency-Key": "8e03978e-40d5"}
    await intake.post("/v1/complaints", complaint(channel__message_id=None), headers=key)
    other = await intake.post("/v1/complaints", complaint(channel__message_id=None, symptom="别的事"), headers=key)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:redress:problem:idempotency-key-reused"
    assert await intake.one("select count(*) from complaints") == 1


async def test_the_number_carries_the_day_of_receipt_in_shanghai(intake):
    told = await intake.receive(received_at="2024-05-09T23:59:59+08:00", happened_at=None, channel__message_id=None)
    assert told["number"] == "C-20240509-000001"
    told = await intake.receive(received_at="2024-05-09T16:00:00Z", happened_at=None, channel__message_id=None)
    assert told["number"] == "C-20240510-000001"


REFUSED = [
    ({"channel__channel": "fax"}, "/channel/channel", "hotline"),
    ({"channel__account": "a" * 256}, "/channel/account", "255"),
    ({"symptom": "  "}, "/symptom", ""),
    ({"symptom": "x" * 10_001}, "/symptom", "10000"),
    ({"symptom": "null\x00byte"}, "/symptom", ""),
    ({"scene": "bell\x07"}, "/scene", ""),
    ({"complainant__name": "two\nlines"}, "/complainant/name", ""),
    ({"complainant__phones": ["12"]}, "/complainant/phones/0", ""),
    ({"complainant__phones": ["13812341234", "not a phone"]}, "/complainant/phones/1", "phone number"),
    ({"complainant__phones": ["13812341234"] * 6}, "/complainant/phones", "5"),
    ({"complainant__emails": ["a@b"]}, "/complainant/emails/0", "mail address"),
    ({"complainant__emails": ["no at sign"]}, "/complainant/emails/0", ""),
    ({"complainant__level": "V I P"}, "/complainant/level", ""),
    ({"happened_at": "2024-05-10T10:15:00"}, "/happened_at", "timezone"),
    ({"happened_at": "2024-05-10"}, "/happened_at", ""),
    ({"happened_at": 1715307300}, "/happened_at", ""),
    ({"happened_at": "2024-05-10T10:30:00+08:00"}, "/happened_at", "future"),
    ({"happened_at": "0001-01-01T00:00:00+14:00"}, "/happened_at", "1970"),
    ({"received_at": "9999-12-31T23:59:59-14:00"}, "/received_at", "2199"),
    ({"received_at": "2024-05-10T10:24:00+08:00"}, "/received_at", "future"),
    ({"received_at": "2024-05-10T10:00:00+08:00"}, "/happened_at", "after"),
    ({"made_at": "2024-05-10T10:25:00+08:00"}, "/made_at", "after"),
    ({"demands": [{"text": "赔"}] * 21}, "/demands", "20"),
    ({"demands": [{"text": "x" * 2001}]}, "/demands/0/text", "2000"),
    (
        {"demands": [{"text": "赔", "amount": {"amount_minor": 100, "currency": "RMB"}}]},
        "/demands/0/amount/currency",
        "ISO",
    ),
    ({"demands": [{"text": "赔", "amount": {"amount_minor": 1.5}}]}, "/demands/0/amount/amount_minor", "integer"),
    ({"demands": [{"text": "赔", "amount": {"amount_minor": 0}}]}, "/demands/0/amount/amount_minor", "1"),
    ({"priority": "asap"}, "/priority", "urgent"),
    ({"recorded_by": ""}, "/recorded_by", ""),
    ({"attachments": [{"name": "a", "url": "file:///etc/passwd"}]}, "/attachments/0/url", ""),
    ({"simptom": "misspelt"}, "/simptom", "Extra"),
]


@pytest.mark.parametrize(("changes", "pointer", "said"), REFUSED, ids=[f"{c}"[:50] for c, _, _ in REFUSED])
async def test_a_value_that_cannot_be_is_refused_with_its_pointer(intake, changes, pointer, said):
    answer = await intake.post("/v1/complaints", complaint(**changes))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert list(errors) == [pointer]
    assert said in errors[pointer]


async def test_all_impossible_values_are_told_at_once(intake):
    body = complaint(
        complainant__phones=["0000"], complainant__emails=["x@localhost"], received_at="2030-01-01T00:00:00Z"
    )
    answer = await intake.post("/v1/complaints", body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/received_at",
        "/complainant/phones/0",
        "/complainant/emails/0",
    ]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"symptom": "\\ud800"}', 400),
        (b'{"symptom": "\xff"}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"symptom": "' + b"x" * 600_000 + b'"}', 413),
    ],
)
async def test_a_body_that_is_no_record_is_a_problem_document(intake, content, status):
    client = await intake.client(Role.AGENT)
    answer = await client.post("/v1/complaints", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADAPTER, 201), (Role.LEAD, 201), (Role.ADMIN, 201), (Role.QUALITY, 403)]
)
async def test_who_may_send_in_complaints(intake, role, status):
    assert (await intake.post("/v1/complaints", complaint(), role)).status_code == status


async def test_nobody_gets_in_without_a_token(intake):
    client = await intake.client()
    assert (await client.post("/v1/complaints", json=complaint())).status_code == 401
