"""The archive keeps facts for ever and personal parts apart (A6, E8)."""

import json

import pytest

from insight_service.domain.archiving import archived, digest, personal_paths, whole
from shared.contracts import BY_TYPE
from shared.contracts.intake import ComplaintReceivedV1
from shared.contracts.resolution import CaseResolvedV1
from tests.support.builders import facts, received, resolved

SALT = b"0123456789abcdef"


def test_personal_fields_are_found_in_lists_and_nested_parts():
    assert ("demands", "*", "text") in personal_paths(ComplaintReceivedV1)
    assert ("symptom",) in personal_paths(ComplaintReceivedV1)
    assert ("result", "cause") in personal_paths(CaseResolvedV1)


def test_facts_hold_nothing_personal_and_the_whole_comes_back():
    event = received(facts())
    taken = archived(event, SALT)
    text = json.dumps(taken.facts, ensure_ascii=False)
    for secret in ("订单管理系统查询近7天", "2小时内修复", "138****1234", "无法核对库存"):
        assert secret not in text
    assert taken.facts["facts"]["urgency"] == "medium"
    assert whole(taken.facts, taken.personal) == event.model_dump(mode="json")


def test_an_erased_part_reads_as_null_and_the_facts_stand():
    taken = archived(resolved(facts()), SALT)
    read = whole(taken.facts, None)
    assert read["result"] == {"cause": None, "measures": None, "improvement": None, "compensation": None}
    assert read["cycle"] == 1


def test_the_hash_proves_the_part_only_with_its_salt():
    taken = archived(received(facts()), SALT)
    proof = taken.facts["symptom"]["sha256"]
    assert proof == digest(taken.personal["/symptom"], SALT)
    assert proof != digest(taken.personal["/symptom"], b"another salt")


@pytest.mark.parametrize("contract", BY_TYPE.values(), ids=BY_TYPE.keys())
def test_every_path_leads_to_a_field_of_its_contract(contract):
    for path in personal_paths(contract):
        assert path[0] in contract.model_fields
