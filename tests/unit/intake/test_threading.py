"""Where a message belongs, and in which order messages are dealt with."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from intake_service.domain.threading import MAX_QUOTED, Known, Placement, placement, quoted_numbers, waves

people = st.integers(1, 4).map(lambda number: UUID(int=number))
complaints = st.lists(st.builds(Known, st.uuids(), st.just("C-20240510-000001"), people), max_size=4)


def test_numbers_are_found_in_any_writing_and_only_whole():
    assert quoted_numbers("关于C-20240510-000001的投诉, see (C-20240510-1234567).") == (
        "C-20240510-000001",
        "C-20240510-1234567",
    )
    assert quoted_numbers("XC-20240510-000001 C-20240510-000001-2 C-20240510-00001 c-20240510-000001") == ()
    assert len(quoted_numbers(" ".join(f"C-20240510-{serial:06d}" for serial in range(50)))) == MAX_QUOTED


@given(complaints, complaints, st.frozensets(people, max_size=3))
def test_only_who_takes_part_joins_and_only_by_a_thread(threaded, quoted, sender):
    placed = placement(threaded, quoted, sender)
    own = [known for known in threaded if known.person_id in sender]
    if own:
        assert placed == Placement(joins=own[0])
    else:
        assert placed == Placement(suggested=next(iter([*threaded, *quoted]), None))


def test_a_number_alone_never_joins():
    known = Known(uuid4(), "C-20240510-000001", UUID(int=1))
    assert placement([], [known], {known.person_id}) == Placement(suggested=known)


def test_messages_that_name_one_id_come_one_after_the_other():
    assert waves([{"a", "t"}, {"b"}, {"c", "t"}, {"c"}, {"d", "b"}]) == [[0, 1], [2, 4], [3]]
    assert waves([]) == []


@given(st.lists(st.frozensets(st.integers(0, 6), min_size=1, max_size=3), max_size=20))
def test_each_message_has_one_wave_after_all_earlier_ones_that_it_shares_an_id_with(references):
    ordered = waves(references)
    wave_of = {place: number for number, wave in enumerate(ordered) for place in wave}
    assert sorted(wave_of) == list(range(len(references)))
    for later in range(len(references)):
        for earlier in range(later):
            if references[earlier] & references[later]:
                assert wave_of[earlier] < wave_of[later]
