"""A device model as data: parts, timings and light patterns. No behaviour, no I/O.

`hw_profiles.catalog` reads profiles from TOML; one profile is shared by all devices of a model.
"""

from collections import Counter
from enum import StrEnum
from typing import Annotated

import msgspec

from firmware_sim.device.indicator import LIGHTS, Colour, Pattern
from firmware_sim.errors import Malformed
from firmware_sim.wire.datapoint import DataPoint, Value, check, encode_dps
from firmware_sim.wire.generation import Generation
from firmware_sim.wire.lan_body import VALUES_SIZE_MAX
from firmware_sim.wire.lan_version import LanVersion

CHILDREN_MAX = 16


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


class Backoff(StrEnum):
    """How long the firmware waits before it tries again to reach the cloud."""

    VENDOR = "vendor"  # below 1, 2, 4, then 8 s; never set back
    CAPPED = "capped"  # below 1, 2, 4, ... 60 s; set back by a session that stood for a minute


class WhileUpdating(StrEnum):
    """What a device makes of a reset while it loads new firmware."""

    OBEY = "obey"  # the update is broken off
    REFUSE = "refuse"  # the reset is; the cloud's is caught up on after the restart


class TimeFrom(StrEnum):
    """Which of the cloud's replies a device sets its clock by."""

    ACTIVATION = "activation"  # that to its activation, also one that refuses it
    REPLIES = "replies"  # all that are encrypted with its keys


class Question(StrEnum):
    """What firmware may ask or tell the cloud once per boot, besides its silent upgrade."""

    CONFIG = "config"  # time zone and rate rules
    RESTART_LOG = "restart_log"  # why it restarted


Millis = Annotated[int, msgspec.Meta(ge=1, le=24 * 3600 * 1000)]
Seconds16 = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
Few = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
ProductId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{0,16}\Z")]
Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]
Number32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){1,2}\Z")]


class Timings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Durations in milliseconds, seconds where the protocol counts in seconds.

    `child_pause_ms` lies between two calls about sub-devices. Each of them is probed after
    `child_heartbeat_ms`, and if it does not answer again every `child_probe_ms`; these two are as
    in tuya/tuya-iotos-embeded-multimedia-demo, demo_for_xvr_2.0.x/demo_src/tuya_xvr_dev_demo.c.
    """

    boot_ms: Millis = 2000
    erase_ms: Millis = 800
    failure_ms: Millis = 5000
    reset_hold_ms: Millis = 3000
    join_timeout_ms: Millis = 20000
    retry_ms: Millis = 1000
    connect_timeout_ms: Millis = 5000
    announce_ms: Millis = 5000
    lan_idle_ms: Millis = 30000
    download_ms: Millis = 30000
    install_ms: Millis = 3000
    pong_timeout_ms: Millis = 2000
    child_pause_ms: Millis = 200
    child_heartbeat_ms: Millis = 120000
    child_probe_ms: Millis = 8000
    keep_alive_s: Seconds16 = 120


class Firmware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions and habits of the firmware.

    `lan_version` is what an activated device speaks; one that waits to be paired announces no more
    than `pairing_lan_version_max`, because older apps know no other. With `announce_unasked` off,
    a device of LAN version 3.5 only answers solicitations, as the vendor's newest firmware does;
    with `announce_when_full` on, it announces itself even while it takes no more LAN clients.
    `device22` rejects the plain status query, as a class of devices does that LAN clients have
    named so.

    `generation` is how it encrypts and what it calls (`firmware_sim/wire/generation.py`);
    `software_version` is what left the factory, an update puts another one into the flash.
    `questions` are what it asks once per boot. With `notices_fin` off, the mere end of a plain TCP
    connection goes unnoticed until the keep-alive fails; with `obeys_enable` off, a device that
    the broker refused resets itself even if the cloud says that it is bound; both are so in the
    open vendor SDK. `time_from` is which replies set its clock. With `awaits_token_online` on, a device that is not paired but has a network
    listens for its token on the cloud's broker too. With `built_in_servers` on, it knows the
    vendor's servers by heart and turns to them when iot-dns does not answer: off, because these
    are not yours.
    """

    software_version: Version = "1.0.0"
    generation: Generation = Generation.ECB
    questions: tuple[Question, ...] = ()
    backoff: Backoff = Backoff.VENDOR
    time_from: TimeFrom = TimeFrom.ACTIVATION
    notices_fin: bool = True
    obeys_enable: bool = True
    awaits_token_online: bool = False
    built_in_servers: bool = False
    reset_during_update: WhileUpdating = WhileUpdating.OBEY
    lan_version: LanVersion = LanVersion.V33
    pairing_lan_version_max: LanVersion = LanVersion.V33
    activation_error: ActivationError = ActivationError.FAIL
    activation_tries: Few = 10
    lan_clients_max: Few = 3
    announce_unasked: bool = True
    announce_when_full: bool = False
    device22: bool = False


class Point(DataPoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data point and the value it has when the device leaves the factory."""

    initial: Value

    def __post_init__(self) -> None:
        """Refuse a range that is open, or an initial value outside of it (ValueError)."""
        limits = self.property
        if (self.type == "raw") != (limits is None):
            raise ValueError("type obj takes a property, type raw takes none")
        if limits is not None and limits.type == "value" and None in (limits.min, limits.max):
            raise ValueError("property: type value takes min and max")
        try:
            check(self, self.initial)
        except Malformed as error:
            raise ValueError(f"initial: {error}") from error


class Child(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sub-device: what it is called, what it has, whether it is in reach at first.

    It is bound as a unit of `product_id`; without one the cloud never hears of it. `type` (0 what
    connects to the network, 1 Bluetooth, 3 Zigbee) and `uddd` are numbers that the vendor's SDK
    sends along (tuya_cloud_com_defs.h; for recorders see `hw_profiles/_channels.toml`).
    """

    title: Text
    category: Text
    data_points: tuple[Point, ...]
    online: bool = True
    product_id: ProductId = ""
    software_version: Version = "1.0.0"
    type: Octet = 0
    uddd: Number32 = 0

    def __post_init__(self) -> None:
        """Refuse bad data points (ValueError)."""
        _check_points(self.data_points)


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model. `name` is the stem of its file.

    The colours of `second_light` come from a light of their own, all others from the main one.
    """

    name: Text
    title: Text
    kind: Kind
    category: Text
    pairing: Pairing
    indicator: dict[str, Pattern]
    second_light: tuple[Colour, ...] = ()
    data_points: tuple[Point, ...] = ()
    children: Annotated[tuple[Child, ...], msgspec.Meta(max_length=CHILDREN_MAX)] = ()
    timings: Timings = Timings()
    firmware: Firmware = Firmware()

    def __post_init__(self) -> None:
        """Refuse lights that are missing or unknown, and what cannot go together (ValueError)."""
        missing = [light for light in LIGHTS if light not in self.indicator]
        unknown = [light for light in self.indicator if light not in LIGHTS]
        if missing or unknown:
            fault = f"missing {missing[0]!r}" if missing else f"unknown light {unknown[0]!r}"
            raise ValueError(f"indicator: {fault}, it takes exactly: {', '.join(LIGHTS)}")
        _check_points(self.data_points)
        if self.firmware.awaits_token_online and not self.wired:
            raise ValueError(
                "firmware: awaits_token_online takes pairing wired, "
                "other devices have no network before they are paired"
            )

    @property
    def wired(self) -> bool:
        """Say whether the device hangs on Ethernet and is paired over it."""
        return self.pairing is Pairing.WIRED


def _check_points(points: tuple[Point, ...]) -> None:
    """Refuse ids given twice, and initial values too large for a frame (ValueError)."""
    for number, count in Counter(point.id for point in points).items():
        if count > 1:
            raise ValueError(f"data_points: id {number} comes {count} times")
    size = len(encode_dps({point.id: point.initial for point in points}))
    if size > VALUES_SIZE_MAX:
        raise ValueError(f"data_points: {size} bytes at first, a frame takes {VALUES_SIZE_MAX}")
