"""CloudEvents 1.0 in Kafka's binary mode: outbox rows to headers, records to events. Decoding never raises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from shared.bus.outbox import TOMBSTONE_HEADER
from shared.bus.port import Handler
from shared.contracts import Event
from shared.ids import derived_id

CONTENT_TYPE = b"application/json"


class Record(NamedTuple):
    """What an adapter hands to the processor. `lane` is what is in order: a partition, or a publisher's outbox."""

    lane: str
    position: int
    topic: str
    partition: int | None
    key: str
    headers: Mapping[str, bytes]
    value: bytes | None


@dataclass(frozen=True)
class Poison:
    """Why a record can never be handled."""

    reason: str
    error: str


class Item:
    """A record on its way through the processor: an event with its handler, or poison."""

    __slots__ = ("contract", "event", "event_id", "handler", "key", "poison", "record")

    def __init__(
        self,
        record: Record,
        event_id: UUID,
        contract: type[Event] | None,
        handler: Handler | None,
        event: Event | None,
        poison: Poison | None = None,
    ) -> None:
        self.record = record
        self.key = record.key
        self.event_id = event_id
        self.contract = contract
        self.handler = handler
        self.event = event
        self.poison = poison

    @property
    def type(self) -> str:
        return self.record.headers.get("ce_type", b"").decode(errors="replace")

    @property
    def traceparent(self) -> str | None:
        found = self.record.headers.get("traceparent")
        return found.decode(errors="replace") if found else None


def headers_of(
    event_type: str,
    key: str,
    event_id: UUID,
    source: str,
    time: datetime,
    traceparent: str | None,
    extra: Mapping[str, str] | None,
) -> list[tuple[str, bytes]]:
    """The headers of one outbox row."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_subject", key.encode()),
        ("ce_time", time.isoformat().encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    if extra:
        headers.extend((name, value.encode()) for name, value in extra.items())
    return headers


class Decoder:
    """Turns records into items: those that the member consumes, and those that nobody could."""

    def __init__(
        self, consumes: Mapping[type[Event], Handler], catalogue: Mapping[str, type[Event]], max_bytes: int
    ) -> None:
        self._routes: dict[bytes, tuple[type[Event], Any, Handler]] = {
            contract.TYPE.encode(): (contract, contract.__pydantic_validator__, handler)
            for contract, handler in consumes.items()
        }
        self._known = {name.encode() for name in catalogue}
        self._stems = {_stem(name) for name in self._known}
        self._stems_consumed = {_stem(name) for name in self._routes}
        self._max_bytes = max_bytes

    def decode(self, records: Sequence[Record], *, unlimited: bool = False) -> list[Item]:
        """Items in the order of their records; records that this member does not care for are left out."""
        items: list[Item] = []
        routes, known, limit = self._routes, self._known, self._max_bytes
        for record in records:
            event_type = record.headers.get("ce_type", b"")
            route = routes.get(event_type)
            if route is None:
                if event_type not in known and (poison := self._stranger(event_type)) is not None:
                    items.append(poisoned(record, poison))
                continue
            contract, validator, handler = route
            value = record.headers.get(TOMBSTONE_HEADER) if contract.TOMBSTONE else record.value
            if value is None:
                items.append(poisoned(record, Poison("bad-bytes", "the record has no value")))
            elif len(value) > limit and not unlimited:
                items.append(poisoned(record, Poison("too-big", f"{len(value)} bytes; the limit is {limit}")))
            else:
                try:
                    event: Event = validator.validate_json(value)
                except ValidationError as error:
                    items.append(poisoned(record, Poison("bad-bytes", _summary(error))))
                else:
                    items.append(Item(record, event.event_id, contract, handler, event))
        return items

    def _stranger(self, event_type: bytes) -> Poison | None:
        """A type that no contract has. Another version of what this member does not consume is none of its business."""
        name = event_type.decode(errors="replace")
        if not event_type:
            return Poison("bad-bytes", "the record has no ce_type header")
        stem = _stem(event_type)
        if stem in self._stems_consumed:
            return Poison("unknown-version", f"{name}: this version of the contract is not known here")
        return None if stem in self._stems else Poison("unknown-type", f"{name}: no contract has this type")


def poisoned(record: Record, poison: Poison) -> Item:
    """What can't be read has no id that could be trusted: where it stands is its id."""
    return Item(record, derived_id("poison", record.topic, record.lane, record.position), None, None, None, poison)


def _stem(event_type: bytes) -> bytes:
    head, _, version = event_type.rpartition(b".v")
    return head if version.isdigit() else event_type


def _summary(error: ValidationError) -> str:
    """Where and why, without the values: they may be personal."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or 'value'}: {first['msg']} ({error.error_count()} errors)"
