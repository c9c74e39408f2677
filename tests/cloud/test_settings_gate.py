"""Settings of the gateway: what is published, and what cannot be."""

from typing import get_args

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.settings import Settings, check_settings
from fleet.cloud.settings_gate import Check, GateSettings


def test_published_defaults() -> None:
    settings = GateSettings()
    assert settings.open_token_life_s == settings.open_grant_life_s == 7_200
    assert settings.open_future_window_s == settings.signature_window_s == 300
    assert settings.open_calls_per_second == 500
    assert settings.open_calls_per_day == 500_000
    assert settings.open_space_writes_per_second == 10
    assert settings.open_space_reads_per_second == 20
    assert settings.open_model_reads_per_second == 10
    assert settings.open_thing_writes_per_second == 4
    assert settings.open_property_reads_per_second == 50
    assert settings.open_desired_reads_per_second == 10


def test_the_order_of_checks_is_that_of_the_observations() -> None:
    assert GateSettings().open_check_order == get_args(Check)
    assert get_args(Check)[:3] == ("time", "sign", "ip")
    assert get_args(Check)[-1] == "path"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("open_token_life_s", 0),
        ("open_check_order", ("time", "weather")),
        ("open_cut_off", ("203.0.113.0/24",)),
        ("open_hosts", ("EU",)),
        ("open_rate_code", 1004),
        ("open_day_code", 0),
        ("open_unsubscribed_code", 1106),
        ("open_calls_per_day", 0),
        ("open_calls_day_offset_min", -841),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        check_settings(msgspec.structs.replace(Settings(), **{name: value}))
