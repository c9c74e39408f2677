"""A device model as data: parts, timings and light patterns. No behaviour, no I/O.

`hw_profiles.catalog` reads profiles from TOML; one profile is shared by all devices of a model.
"""

from enum import StrEnum

import msgspec

from firmware_sim.device.indicator import LIGHTS, Pattern
from firmware_sim.errors import Malformed
from firmware_sim.wire.datapoint import DataPoint, Value, check


class Kind(StrEnum):
    """What sort of thing it is."""

    CAMERA = "camera"
    NVR = "nvr"
    DVR = "dvr"
    BASE_STATION = "base_station"
    GATEWAY = "gateway"


class Pairing(StrEnum):
    """How a token reaches the device."""

    QR = "qr"  # a code held in front of its lens, then Wi-Fi
    WIRED = "wired"  # LAN broadcast and TCP frame 0x0C, on Ethernet


class ActivationError(StrEnum):
    """What the firmware does when the cloud refuses to activate it with an unknown code."""

    FAIL = "fail"  # show the failure, wait again
    RETRY = "retry"  # the same token each second for ever, as the open vendor SDK does


class Timings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Durations in milliseconds, seconds where the protocol counts in seconds."""

    boot_ms: int = 2000
    erase_ms: int = 800
    failure_ms: int = 5000
    reset_hold_ms: int = 3000
    join_timeout_ms: int = 20000
    retry_ms: int = 1000
    connect_timeout_ms: int = 5000
    announce_ms: int = 5000
    lan_idle_ms: int = 30000
    pong_timeout_ms: int = 2000
    keep_alive_s: int = 120

    def __post_init__(self) -> None:
        """Refuse times that are not positive (ValueError, reported with file and key)."""
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0")


class Firmware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions and habits of the firmware."""

    software_version: str = "1.0.0"
    lan_version: str = "3.3"
    activation_error: ActivationError = ActivationError.FAIL
    activation_tries: int = 10
    lan_clients_max: int = 3


class Point(DataPoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data point and the value it has when the device leaves the factory."""

    initial: Value

    def __post_init__(self) -> None:
        """Refuse an initial value that the point cannot take (ValueError)."""
        try:
            check(self, self.initial)
        except Malformed as error:
            raise ValueError(f"initial: {error}") from error


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model. `name` is the stem of its file."""

    name: str
    title: str
    kind: Kind
    category: str
    pairing: Pairing
    indicator: dict[str, Pattern]
    data_points: tuple[Point, ...] = ()
    timings: Timings = Timings()
    firmware: Firmware = Firmware()

    def __post_init__(self) -> None:
        """Refuse a light that is missing or unknown (ValueError, reported with file and key)."""
        missing = [light for light in LIGHTS if light not in self.indicator]
        unknown = [light for light in self.indicator if light not in LIGHTS]
        if missing or unknown:
            fault = f"missing {missing[0]!r}" if missing else f"unknown light {unknown[0]!r}"
            raise ValueError(f"indicator: {fault}, it takes exactly: {', '.join(LIGHTS)}")

    @property
    def wired(self) -> bool:
        """Say whether the device hangs on Ethernet and is paired over it."""
        return self.pairing is Pairing.WIRED
