"""Premises are names for three things, two of which change when devices come."""

from tests.web.control_world import World


def test_premises_have_devices_hands_and_people() -> None:
    premises = World().premises
    assert premises.__struct_fields__ == ("population", "supervisor", "people")
    premises.people = ()
    assert premises.people == ()
