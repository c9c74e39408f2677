"""Keys live, are revoked, or are replaced, by what was written."""

import msgspec

from fleet.cloud.devices import Device
from fleet.cloud.store.records import Delete, Put
from fleet.run.checks.books import Books
from fleet.run.checks.keyring import Keyring, Standing

FIRST = Device("u1", "k" * 32, "p", dev_id="d1", sec_key="one")
SECOND = msgspec.structs.replace(FIRST, sec_key="two")


def test_a_key_is_followed_from_its_first_day() -> None:
    books = Books()
    keys = Keyring(books)
    books.take((Put(Device("u1", "k" * 32, "p")),))
    assert keys.by_dev_id("d1") is None
    assert keys.given("u1") == []
    books.take((Put(FIRST),))
    assert keys.by_dev_id("d1") is FIRST
    assert keys.standing(FIRST, "one") is Standing.LIVE
    assert keys.standing(FIRST, "two") is Standing.UNKNOWN
    books.take((Put(SECOND),))
    assert keys.given("u1") == ["two", "one"]
    assert keys.standing(SECOND, "one") is Standing.REPLACED
    revoked = msgspec.structs.replace(SECOND, revoked=True)
    assert keys.standing(revoked, "two") is Standing.REVOKED
    books.take((Delete(Device, ("u1",)),))
    assert keys.by_dev_id("d1") is None
