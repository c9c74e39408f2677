"""The settings of guests reach the broker, one by one."""

import msgspec

from fleet.cloud.brake import Brake
from fleet.cloud.directory import GuestDirectory
from fleet.cloud.happenings import GuestLimits
from fleet.cloud.settings import Settings
from fleet.cloud.settings_mqtt import MqttSettings
from tests.cloud.support import World


def test_the_defaults_are_those_of_the_broker() -> None:
    state = World().state
    assert GuestDirectory(state.guests, state.brake, Settings()).guests == GuestLimits()


def test_each_setting_changes_its_own_limit() -> None:
    guests = World().state.guests
    fields = [name for name in MqttSettings.__annotations__ if name.startswith("mqtt_guest_")]
    assert len(fields) == len(msgspec.structs.fields(GuestLimits))
    changed = set()
    for name in fields:
        settings = Settings(**{name: getattr(Settings(), name) + 1})
        limits = GuestDirectory(guests, Brake(free=10, wait_s_max=60), settings).guests
        (which,) = (
            each.name
            for each in msgspec.structs.fields(GuestLimits)
            if getattr(limits, each.name) != each.default
        )
        changed.add(which)
    assert len(changed) == len(fields)
