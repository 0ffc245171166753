"""Which person each of several complainants is: the pure part of A9's "the same person"."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from intake_service.domain.person import Identity, Person, Stated


@dataclass(frozen=True, slots=True)
class Recognised:
    """`at_receipt` is each complainant as known when their complaint came, in order; `created` and `changed` are the
    persons to write, in their last state; `owners` are the new identities."""

    at_receipt: tuple[Person, ...]
    created: tuple[Person, ...]
    changed: tuple[Person, ...]
    owners: tuple[tuple[int, str, UUID], ...]


def recognise(
    complainants: Iterable[Stated],
    owners: Mapping[Identity, UUID],
    persons: Mapping[UUID, Person],
    *,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Recognised:
    """The owner of the strongest known identity is the person; who has none is a new one. An identity stays with its
    first owner, so two persons are never joined by a complaint that names contacts of both."""
    known = dict(owners)
    current = dict(persons)
    claimed: list[tuple[int, str, UUID]] = []
    at_receipt: list[Person] = []
    for stated in complainants:
        identities = stated.identities
        found = next((known[identity] for identity in identities if identity in known), None)
        before = current[found] if found else Person(id=new_id(), created_at=now)
        person = before.learn(stated)
        current[person.id] = person
        at_receipt.append(person)
        for identity in identities:
            if identity not in known:
                known[identity] = person.id
                claimed.append((*identity, person.id))
    return Recognised(
        at_receipt=tuple(at_receipt),
        created=tuple([person for person in current.values() if person.id not in persons]),
        changed=tuple([current[id] for id in sorted(persons) if current[id].revision != persons[id].revision]),
        owners=tuple(claimed),
    )
