"""The first settings: they keep their place, and their defaults are the published ones."""

import msgspec

from fleet.cloud.settings import Settings
from fleet.cloud.settings_core import CoreSettings


def test_they_come_first_among_all_settings() -> None:
    core = [field.name for field in msgspec.structs.fields(CoreSettings)]
    everything = [field.name for field in msgspec.structs.fields(Settings)]
    assert everything[: len(core)] == core
    assert core[0] == "region"


def test_published_defaults() -> None:
    settings = CoreSettings()
    assert settings.pair_token_life_s == 600
    assert settings.unbind_devices_per_token_max == 30
    assert settings.account_quota_per_day == settings.product_quota_per_day == 100
    assert settings.session_life_s == 7 * 86_400
