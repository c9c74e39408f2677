"""Wi-Fi: a name, a password, and no password in a log."""

from firmware_sim.events import JoinRefusal
from firmware_sim.runtime.access_point import AccessPoint


def test_who_may_join() -> None:
    air = AccessPoint({"shop": "password1"})
    assert air.refusal("shop", "password1") is None
    assert air.refusal("shop", "password2") is JoinRefusal.WRONG_PASSWORD
    assert air.refusal("Shop", "password1") is JoinRefusal.NO_SUCH_NETWORK


def test_nobody_hears_what_is_switched_off() -> None:
    air = AccessPoint({"shop": "password1"})
    air.on = False
    assert air.refusal("shop", "password1") is JoinRefusal.NO_SUCH_NETWORK


def test_its_name_shows_and_its_password_does_not() -> None:
    assert repr(AccessPoint({"shop": "password1"})) == "AccessPoint(shop)"
