"""The hot door under company: many at once, several processes, bad neighbours, a commit that fails."""

import asyncio

import pytest

from tests.component.intake.conftest import complaint

REFUSE_POISON = (
    """create or replace function refuse_poison() returns trigger language plpgsql as $$
    begin
      if new.record ->> 'symptom' = 'poison' then raise exception 'poison'; end if;
      return new;
    end $$""",
)
AT_ONCE = "create trigger refuse before insert on complaints for each row execute function refuse_poison()"
AT_COMMIT = (
    "create constraint trigger refuse after insert on complaints deferrable initially deferred "
    "for each row execute function refuse_poison()"
)
TABLES = ("complaints", "persons", "identities", "outbox", "idempotency_keys")


@pytest.fixture
async def poison(intake):
    """`await poison(AT_COMMIT)`: a complaint whose symptom is `poison` is refused by the database itself."""

    async def install(trigger: str) -> None:
        await intake.run(*REFUSE_POISON, trigger)

    yield install
    await intake.run("drop trigger if exists refuse on complaints", "drop function if exists refuse_poison()")


def distinct(place: int, **changes):
    """A complaint of its own person by its own delivery."""
    return complaint(
        channel__message_id=f"call-{place}",
        complainant__phones=[f"138{place:08d}"],
        complainant__account_id=f"shop-{place}",
        **changes,
    )


async def test_twenty_deliveries_of_one_message_at_once_to_two_processes_make_one_complaint(intake):
    answers = await asyncio.gather(
        *[intake.post("/v1/complaints", complaint(), process=place % 2) for place in range(20)]
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert await intake.one("select count(*) from complaints") == 1
    assert await intake.one("select count(*) from persons") == 1
    assert len(await intake.outbox()) == 1
    assert len(await intake.outbox("redress.intake.contacts")) == 1


async def test_twenty_requests_with_one_idempotency_key_at_once_have_one_effect(intake):
    body = complaint(channel__message_id=None)
    answers = await asyncio.gather(
        *[
            intake.post("/v1/complaints", body, process=place % 2, headers={"Idempotency-Key": "one"})
            for place in range(20)
        ]
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await intake.one("select count(*) from complaints") == 1
    again = await intake.post("/v1/complaints", body, headers={"Idempotency-Key": "one"})
    assert again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_numbers_are_unique_when_two_processes_receive_at_once(intake):
    answers = await asyncio.gather(
        *[intake.post("/v1/complaints", distinct(place), process=place % 2) for place in range(60)]
    )
    assert [answer.status_code for answer in answers] == [201] * 60
    assert len({answer.json()["number"] for answer in answers}) == 60


async def test_complaints_that_come_at_once_share_transactions(intake):
    await asyncio.gather(*[intake.post("/v1/complaints", distinct(place)) for place in range(40)])
    transactions = await intake.one("select count(distinct xmin::text) from complaints")
    assert transactions < 20


async def test_one_person_who_sends_many_complaints_at_once_is_one_person_and_each_has_a_count_of_its_own(intake):
    answers = await asyncio.gather(
        *[
            intake.post("/v1/complaints", complaint(channel__message_id=f"call-{place}"), process=place % 2)
            for place in range(30)
        ]
    )
    assert len({answer.json()["complainant_id"] for answer in answers}) == 1
    assert sorted(answer.json()["earlier_complaints"] for answer in answers) == list(range(30))
    assert await intake.one("select count(*) from persons") == 1


async def test_people_who_share_some_contacts_and_come_at_once_to_two_processes_do_not_block_each_other(intake):
    bodies = [
        complaint(
            channel__message_id=f"call-{place}",
            complainant__account_id=None,
            complainant__phones=[f"1380000{place % 7:04d}", f"1390000{place % 5:04d}"],
            complainant__emails=[f"p{place % 3}@example.com"],
        )
        for place in range(60)
    ]
    answers = await asyncio.gather(
        *[intake.post("/v1/complaints", body, process=place % 2) for place, body in enumerate(bodies)]
    )
    assert [answer.status_code for answer in answers] == [201] * 60
    assert await intake.one("select count(*) from complaints") == 60
    assert (
        await intake.one(
            "select count(*) from persons p where not exists (select from complaints c where c.person_id = p.id)"
        )
        == 0
    )


@pytest.mark.parametrize("trigger", [AT_ONCE, AT_COMMIT], ids=["at the insert", "at the commit"])
async def test_a_bad_complaint_in_a_batch_harms_no_neighbour(intake, poison, trigger):
    await poison(trigger)
    bodies = [distinct(place, symptom="poison" if place == 7 else "慢") for place in range(15)]
    answers = await asyncio.gather(*[intake.post("/v1/complaints", body) for body in bodies])
    expected = [500 if place == 7 else 201 for place in range(15)]
    assert [answer.status_code for answer in answers] == expected
    assert await intake.one("select count(*) from complaints") == 14
    assert len(await intake.outbox()) == 14


async def test_when_the_commit_fails_the_answer_is_an_error_and_nothing_is_kept(intake, poison):
    await poison(AT_COMMIT)
    woken = []
    intake.services[0].database.on_outbox.append(lambda: woken.append(True))
    answer = await intake.post(
        "/v1/complaints", complaint(symptom="poison"), headers={"Idempotency-Key": "kept-with-the-effect"}
    )
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert [await intake.one(f"select count(*) from {table}") for table in TABLES] == [0, 0, 0, 0, 0]  # noqa: S608
    assert woken == []


async def test_the_relay_is_woken_after_the_commit(intake):
    woken = []
    intake.services[0].database.on_outbox.append(lambda: woken.append(True))
    await intake.receive()
    assert woken == [True]
