"""The forms of a seed: what they take, and that none shows a secret."""

import msgspec
import pytest

from fleet.cloud.seed import (
    AccountSeed,
    DeviceSeed,
    OemLinkSeed,
    ProjectSeed,
    Seed,
    UserSeed,
)

from .support import seed

SECRET = "0123456789abcdef01234567"


def test_keys_and_passwords_are_not_shown() -> None:
    world = seed()
    assert "correct horse" not in repr(world)
    assert world.devices[0].auth_key not in repr(world)
    for shown in (
        AccountSeed(name="a", password=SECRET),
        UserSeed(uid="u", name="u", password=SECRET),
        OemLinkSeed(link=SECRET, product_id="p"),
        ProjectSeed(access_id="id", secret=SECRET, owner="a", name="p"),
        DeviceSeed(uuid="d", auth_key=SECRET, product_id="p", sec_key=SECRET[:16]),
    ):
        assert SECRET[:16] not in repr(shown)


def test_a_form_goes_through_plain_data_unchanged() -> None:
    assert msgspec.convert(msgspec.to_builtins(seed()), Seed) == seed()


def test_what_is_no_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `device`"):
        msgspec.convert({"device": []}, Seed)
