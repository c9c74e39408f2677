"""What the Developer app page and its calls say to each other."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import Secretive
from fleet.web.app_work import DEVICES_PER_RUN_MAX, DEVICES_PER_TOKEN
from fleet.web.lenses import CAMERAS_AT_ONCE_MAX
from fleet.web.operations import Operation

Uuid = Annotated[str, Meta(min_length=1, max_length=64)]


class Place(msgspec.Struct, frozen=True):
    """Where the operator is: the Wi-Fi there, whose password need not be typed in; the bounds."""

    ssid: str
    devices_per_code: int = DEVICES_PER_TOKEN
    devices_per_run: int = DEVICES_PER_RUN_MAX


class CodeForm(Secretive, frozen=True):
    """Which Wi-Fi devices are to join, `own_wifi`: that of the place; what the code is good for."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    ssid: Annotated[str, Meta(max_length=32)] = ""
    password: Annotated[str, Meta(max_length=64)] = ""
    own_wifi: bool = False
    max_devices: Annotated[int, Meta(ge=1, le=DEVICES_PER_TOKEN)] = DEVICES_PER_TOKEN
    life_s: Annotated[int, Meta(ge=1, le=2**31)] | None = None


class BatchView(msgspec.Struct, frozen=True):
    """A code as it is used; `now_ms` is the time here, for the countdown to `expires_ms`."""

    batch: str
    method: str
    used: int
    max_devices: int
    expires_ms: int
    now_ms: int
    cancelled: bool
    alive: bool
    ssid: str  # "" when the picture is no longer kept
    devices: tuple[Operation, ...]


class FoundView(msgspec.Struct, frozen=True):
    """A device on the LAN that waits for a token; `foreign`: it speaks from another address.

    `unbound`: the account's latest operation with it was to unbind it. It waits for its next owner.
    """

    uuid: str
    ip: str
    product: str
    version: str
    foreign: bool
    unbound: bool


class Chosen(msgspec.Struct, frozen=True):
    """Devices to unbind by wire."""

    uuids: Annotated[list[Uuid], Meta(min_length=1, max_length=DEVICES_PER_RUN_MAX)]


class Aimed(msgspec.Struct, frozen=True):
    """Cameras to hold a code to."""

    uuids: Annotated[list[Uuid], Meta(min_length=1, max_length=CAMERAS_AT_ONCE_MAX)]


class Held(msgspec.Struct, frozen=True):
    """How many cameras see the code now."""

    cameras: int


class ErrandView(msgspec.Struct, frozen=True):
    """One device of a run by wire, and how it stands with it."""

    uuid: str
    ip: str
    product: str
    batch: str
    outcome: str
    reason: str
    why: str
    advice: str


class RunView(msgspec.Struct, frozen=True):
    """A run by wire."""

    run: str
    over: bool
    devices: tuple[ErrandView, ...]
