"""Evidence finds each unit in the registry."""

from fleet.run.checks.evidence import Evidence
from tests.run.checks.evidence import KEPT, UNITS, changed, good


def test_units_are_found_in_the_registry() -> None:
    found = dict(good().registered())
    assert list(found) == list(UNITS)
    assert all(unit.uuid == device.uuid for unit, device in found.items())


def test_one_that_is_not_there_is_left_out() -> None:
    audit = good().audit
    audit.devices.remove(next(one for one in audit.devices if one.uuid == KEPT.uuid))
    evidence: Evidence = changed(good(), audit=audit)
    assert KEPT not in dict(evidence.registered())
