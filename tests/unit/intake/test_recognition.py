"""Who is the same person (A9)."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from intake_service.domain.contacts import Contacts
from intake_service.domain.person import IdentityKind, Person, Stated
from intake_service.domain.recognition import recognise

NOW = datetime(2024, 5, 10, 2, 20, tzinfo=UTC)
OLD = UUID(int=1000)
OTHER = UUID(int=2000)


def recognised(*complainants, owners=None, persons=()):
    numbers = count(1)
    return recognise(
        complainants,
        owners or {},
        {person.id: person for person in persons},
        new_id=lambda: UUID(int=next(numbers)),
        now=NOW,
    )


def by_phone(*phones, **more):
    return Stated(contacts=Contacts(phones=phones), **more)


def test_who_is_not_known_is_a_new_person_with_all_identities():
    found = recognised(
        Stated(
            name="张三",
            contacts=Contacts(("+8613812341234",), ("zhang@example.com",), "zs"),
            organisation="某公司",
            account_id="Shop-1",
        )
    )
    (person,) = found.created
    assert (person.revision, person.name, found.changed) == (1, "张三", ())
    assert found.owners == (
        (IdentityKind.ACCOUNT, "某公司\x1fshop-1", person.id),
        (IdentityKind.PHONE, "+8613812341234", person.id),
        (IdentityKind.WECOM, "zs", person.id),
        (IdentityKind.EMAIL, "zhang@example.com", person.id),
    )


def test_who_gives_no_contact_is_a_new_person_each_time():
    assert len(recognised(Stated(), Stated()).created) == 2


def test_two_complaints_of_one_batch_with_the_same_phone_are_of_one_person():
    found = recognised(by_phone("+8613812341234", name="张三"), by_phone("+8613812341234", "+8613900001111"))
    (person,) = found.created
    assert [at.id for at in found.at_receipt] == [person.id, person.id]
    assert [at.revision for at in found.at_receipt] == [1, 2]
    assert person.contacts.phones == ("+8613812341234", "+8613900001111")
    assert person.name == "张三"


def test_a_known_person_keeps_the_id_and_learns_the_new_contact():
    old = Person(OLD, NOW, 3, "张三", Contacts(("+8613812341234",)))
    stated = Stated(contacts=Contacts(("+8613812341234",), ("zhang@example.com",)))
    found = recognised(stated, owners={(2, "+8613812341234"): OLD}, persons=[old])
    (changed,) = found.changed
    assert (changed.id, changed.revision, changed.contacts.emails) == (OLD, 4, ("zhang@example.com",))
    assert found.created == ()
    assert found.owners == ((IdentityKind.EMAIL, "zhang@example.com", OLD),)


def test_a_known_person_who_says_nothing_new_is_not_written():
    old = Person(OLD, NOW, 3, "张三", Contacts(("+8613812341234",)))
    found = recognised(by_phone("+8613812341234"), owners={(2, "+8613812341234"): OLD}, persons=[old])
    assert (found.created, found.changed, found.owners) == ((), (), ())


def test_where_contacts_belong_to_two_persons_the_account_decides_and_nobody_is_joined():
    owners = {(1, "\x1fshop-1"): OLD, (2, "+8613812341234"): OTHER}
    persons = [Person(OLD, NOW, 1), Person(OTHER, NOW, 1, contacts=Contacts(("+8613812341234",)))]
    found = recognised(by_phone("+8613812341234", account_id="shop-1"), owners=owners, persons=persons)
    assert found.at_receipt[0].id == OLD
    assert found.owners == ()


def test_the_newest_contact_comes_first_and_ten_are_kept():
    phones = tuple(f"+861380000{place:04d}" for place in range(10))
    old = Person(OLD, NOW, 1, contacts=Contacts(phones))
    found = old.learn(by_phone("+8613999999999"))
    assert found.contacts.phones == ("+8613999999999", *phones[:9])
