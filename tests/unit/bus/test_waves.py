"""How a batch is cut into lists for use cases."""

from typing import Any
from uuid import UUID

from shared.bus import gathers
from shared.bus.codec import Item, Record
from shared.bus.port import Handler
from shared.bus.waves import waves
from shared.contracts import Event
from shared.contracts.intake import ComplaintReceivedV1, MessageAddedV1


async def one_by_key(events: Any, tx: Any, deps: Any) -> None: ...


@gathers
async def as_a_set(events: Any, tx: Any, deps: Any) -> None: ...


def item(number: int, key: str, contract: type[Event], handler: Handler) -> Item:
    record = Record("intake/0", number, "redress.intake", 0, key, {}, b"")
    return Item(record, UUID(int=number), contract, handler, None)


def cut(*items: Item) -> list[tuple[Handler, list[int]]]:
    return [(handler, [one.record.position for one in group]) for handler, group in waves(items)]


def test_no_list_holds_two_events_of_one_key_and_no_key_loses_its_order() -> None:
    items = [
        item(1, "a", ComplaintReceivedV1, one_by_key),
        item(2, "a", MessageAddedV1, one_by_key),
        item(3, "b", ComplaintReceivedV1, one_by_key),
        item(4, "a", MessageAddedV1, one_by_key),
    ]
    assert cut(*items) == [(one_by_key, [1, 3]), (one_by_key, [2]), (one_by_key, [4])]


def test_a_use_case_that_gathers_gets_all_of_its_own_at_once_and_first() -> None:
    items = [
        item(1, "team", MessageAddedV1, one_by_key),
        item(2, "a", ComplaintReceivedV1, as_a_set),
        item(3, "a", MessageAddedV1, as_a_set),
        item(4, "b", ComplaintReceivedV1, as_a_set),
    ]
    assert cut(*items) == [(as_a_set, [2, 3, 4]), (one_by_key, [1])]
