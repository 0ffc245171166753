"""Ids that follow from what they are of, and values copied with a change."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Bilingual
from shared.ids import NAMESPACE, derived_id


def test_a_derived_id_is_the_same_for_ever() -> None:
    assert derived_id("clock", 1, "resolution") == UUID("6d3fadff-c3b1-5f26-8d9a-52867bf9ccaf")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.integers()))
def test_a_derived_id_is_the_uuid5_of_its_parts(parts: list[object]) -> None:
    assert derived_id(*parts) == uuid5(NAMESPACE, "\x1f".join(map(str, parts)))


def test_a_changed_value_is_as_if_it_had_been_made_so() -> None:
    first = Bilingual(zh="甲", en="a")
    second = first.changed(en="b")
    assert (first, second) == (Bilingual(zh="甲", en="a"), Bilingual(zh="甲", en="b"))
    assert second.model_dump_json() == '{"zh":"甲","en":"b"}'
    assert hash(second) == hash(Bilingual(zh="甲", en="b"))
