"""Settings: their ranges, and that the README's table is this file's."""

from typing import get_type_hints

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.settings import Settings, check_settings, settings_table

from .support import World


def test_published_defaults() -> None:
    settings = Settings()
    assert settings.pair_token_life_s == 600
    assert settings.unbind_devices_per_token_max == 30
    assert settings.account_quota_per_day == 100
    assert settings.product_quota_per_day == 100
    assert settings.signature_window_s == 300


def test_every_setting_says_whether_it_is_published_or_ours() -> None:
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        (meta,) = hints[field.name].__metadata__
        assert meta.description.startswith(("Published", "Ours")), field.name


def test_the_table_has_a_line_per_setting() -> None:
    lines = settings_table().splitlines()
    assert len(lines) == 2 + len(msgspec.structs.fields(Settings))
    assert "| `unbind_devices_per_token_max` | `30` | Published: 30. Devices one" in lines[8]
    assert r"(reset \| refuse)" in lines[9]


def test_the_defaults_keep_their_own_rules() -> None:
    check_settings(Settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("region", "XX"),
        ("token_secret", "abc"),
        ("time_zone", "UTC"),
        ("unbind_devices_per_token_max", 0),
        ("unbind_mode", "maybe"),
        ("quota_day_offset_min", 841),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, value: object) -> None:
    settings = msgspec.structs.replace(Settings(), **{name: value})
    with pytest.raises(UsageError, match=name):
        check_settings(settings)
    with pytest.raises(UsageError, match="settings of the cloud"):
        World(settings)


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings(admin_secret="hush", broker_auth_secret="hush", region="AY"))
    assert "hush" not in shown
    assert "region='AY'" in shown
