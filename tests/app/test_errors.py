"""A refusal is for people and for programs."""

import pytest

from firmware_sim.errors import UsageError
from fleet.app.errors import (
    CloudRefused,
    CloudUnreachable,
    DeviceClosed,
    DeviceFailed,
    DeviceRefused,
    TurnedAway,
    WrongKey,
)


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        ("token_full", "30 of 30 released", "the cloud refused: 30 of 30 released (token_full)"),
        ("token_full", "", "the cloud refused: token_full (token_full)"),
    ],
)
def test_a_refusal_has_a_code_and_one_line(code: str, message: str, line: str) -> None:
    refusal = CloudRefused(code, message)
    assert (refusal.code, refusal.message, str(refusal)) == (code, message, line)


def test_both_are_the_callers_business() -> None:
    assert issubclass(CloudRefused, UsageError)
    assert issubclass(CloudUnreachable, UsageError)


def test_a_devices_refusal_keeps_its_words() -> None:
    refused = DeviceRefused("device d at 10.0.0.9", "bad_format", "data format error")
    assert (
        str(refused) == "device d at 10.0.0.9: the device refused: data format error (bad_format)"
    )
    assert (refused.reason, refused.text) == ("bad_format", "data format error")


@pytest.mark.parametrize("kind", DeviceFailed.__subclasses__())
def test_whatever_a_device_does_is_the_callers_business_too(kind: type[DeviceFailed]) -> None:
    assert issubclass(kind, UsageError)


def test_being_turned_away_is_a_way_of_being_closed() -> None:
    assert issubclass(TurnedAway, DeviceClosed)
    assert not issubclass(TurnedAway, WrongKey)
