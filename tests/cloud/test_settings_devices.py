"""Settings of a device's life: what is served, refused and kept unless somebody chooses otherwise."""

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.settings import Settings, check_settings
from fleet.cloud.settings_devices import DeviceSettings


def test_defaults() -> None:
    settings = DeviceSettings()
    assert settings.serve_oldest_firmware
    assert settings.refuse_replayed_activations
    assert settings.first_message_version == "both"


@pytest.mark.parametrize(
    ("name", "value"),
    [("first_message_version", "2.1"), ("firmware_versions_per_product_max", 0)],
)
def test_what_is_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        check_settings(msgspec.structs.replace(Settings(), **{name: value}))
