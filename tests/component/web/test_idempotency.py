"""Idempotency-Key on a real PostgreSQL: the answer is kept with the effect, or neither is."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from httpx import AsyncClient
from sqlalchemy import func, select, text

from shared.service import Service
from shared.web.auth import Role
from shared.web.errors import Problem
from shared.web.idempotency import Answered, Once, prune, record_many, replay_many
from tests.support.sample_service import store
from tests.support.web import client_of, signed_in


async def notes_in(sample: Service) -> int:
    async with sample.database.reading() as tx:
        return int(await tx.scalar(select(func.count()).select_from(store.notes)) or 0)


async def test_a_repeated_request_gets_the_first_answer_and_has_no_second_effect(
    sample: Service, agent: AsyncClient
) -> None:
    first = await agent.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": '"k-1"'})
    again = await agent.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == '"1"'
    assert await notes_in(sample) == 1


async def test_twenty_requests_at_once_with_one_key_have_one_effect(sample: Service, agent: AsyncClient) -> None:
    answers = await asyncio.gather(
        *(agent.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": "same"}) for _ in range(20))
    )
    assert await notes_in(sample) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["note_id"] for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
    for refused in (answer for answer in answers if answer.status_code == 409):
        assert refused.json()["type"] == "urn:redress:problem:idempotency-key-under-way"
        assert refused.headers["Retry-After"] == "1"


async def test_while_the_first_is_under_way_the_second_hears_409(sample: Service, agent: AsyncClient) -> None:
    once = Once("person:agent-li", "busy", b"x")
    async with sample.database.session() as tx:
        assert await once.replay(tx) is None
        second = await agent.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": "busy"})
        assert second.status_code == 409


async def test_a_key_with_another_body_is_refused(sample: Service, agent: AsyncClient) -> None:
    await agent.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": "k"})
    other = await agent.post("/v1/notes", json={"text": "b"}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422
    assert other.json()["type"] == "urn:redress:problem:idempotency-key-reused"
    assert await notes_in(sample) == 1


async def test_a_malformed_key_is_a_bad_request(agent: AsyncClient) -> None:
    for key in ('""', "a b", "x" * 256, '"half'):
        answer = await agent.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": key})
        assert answer.status_code == 400, key
        assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


async def test_a_key_belongs_to_one_principal(sample: Service, agent: AsyncClient) -> None:
    key = {"Idempotency-Key": "k"}
    await agent.post("/v1/notes", json={"text": "a"}, headers=key)
    wang = signed_in(Role.LEAD, subject="lead-wang")
    other = await agent.post("/v1/notes", json={"text": "a"}, headers=key | wang)
    assert other.status_code == 201
    assert "Idempotency-Replayed" not in other.headers
    assert await notes_in(sample) == 2


async def test_without_a_key_each_request_has_its_effect(sample: Service, agent: AsyncClient) -> None:
    for _ in range(2):
        await agent.post("/v1/notes", json={"text": "a"})
    assert await notes_in(sample) == 2


async def test_a_refused_request_may_be_sent_again_with_its_key(sample: Service, agent: AsyncClient) -> None:
    orphan = {"text": "a", "answers": str(uuid4())}
    first = await agent.post("/v1/notes", json=orphan, headers={"Idempotency-Key": "k"})
    assert first.status_code == 500
    async with sample.database.reading() as tx:
        assert (await tx.execute(text("select key from idempotency_keys"))).all() == []


async def test_when_the_commit_fails_the_caller_hears_so_and_nothing_is_there(
    sample: Service, agent: AsyncClient
) -> None:
    """The constraint is checked at the commit: an answer that was sent before it would have said 201."""
    answer = await agent.post("/v1/notes", json={"text": "a", "answers": str(uuid4())})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert await notes_in(sample) == 0


async def test_a_batch_is_looked_up_and_recorded_in_one_statement_each(sample: Service) -> None:
    def once(key: str | None, fingerprint: bytes = b"f") -> Once:
        return Once("adapter:hotline", key, fingerprint)

    async with sample.database.session() as tx:
        assert await replay_many(tx, [once("a"), once(None), once("b")]) == [None, None, None]
        answers = [
            Answered(once("a"), 201, b'"A"'),
            Answered(once(None), 201, b'"-"'),
            Answered(once("b"), 422, b'"B"'),
        ]
        await record_many(tx, answers)
    async with sample.database.session() as tx:
        found = await replay_many(
            tx, [once("a"), once("b"), once("b"), once("a", b"other"), once("c"), once("c", b"x")]
        )
    slugs = [each.slug if isinstance(each, Problem) else each for each in found]
    assert not isinstance(slugs[0], str)
    assert slugs[0] is not None
    assert slugs[0].body == b'"A"'
    assert slugs[1] is None, "only success is kept"
    assert slugs[2:] == ["idempotency-key-under-way", "idempotency-key-reused", None, "idempotency-key-reused"]


async def test_answers_go_when_they_are_older_than_three_days(sample: Service) -> None:
    async with sample.database.session() as tx:
        await record_many(tx, [Answered(Once("p", key, b"f"), 200, b"1") for key in ("old", "older", "young")])
        ages = {"old": timedelta(hours=73), "older": timedelta(days=30), "young": timedelta(hours=71)}
        for key, age in ages.items():
            await tx.execute(
                text("update idempotency_keys set created_at = now() - cast(:age as interval) where key = :key"),
                {"age": age, "key": key},
            )
    assert await prune(sample.database, batch=1) == 2
    async with sample.database.reading() as tx:
        assert (await tx.scalars(text("select key from idempotency_keys"))).all() == ["young"]


async def test_two_services_in_one_database_do_not_hold_each_others_keys(sample: Service) -> None:
    async with sample.database.session() as tx:
        assert await Once("p", "k", b"f").replay(tx) is None
        async with sample.database.session() as other, client_of(sample.app):
            await other.execute(text("set local search_path to public"))
            taken = await other.scalar(
                text(
                    "select pg_try_advisory_xact_lock(hashtextextended("
                    "concat_ws(chr(31), 'idempotency', current_schema(), 'p', 'k'), 0))"
                )
            )
            assert taken is True
