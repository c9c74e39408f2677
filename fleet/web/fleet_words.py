"""What the control API takes and gives. No key and no password is in any of it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleet.run.faults import ALWAYS, FaultTable
from fleet.run.growth import ADDED_MAX
from fleet.web.run_words import Injected, People

NAMED_MAX = 10_000  # devices that one call names; a filter reaches all
PAGE_MAX = 500
HOLD_MS_MAX = 120_000
TEXT_MAX = 2_900  # bytes: more does not fit into a QR code

Name = Annotated[str, Meta(max_length=64)]


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Devices that have all of this; what is empty does not matter.

    `product` is a name or an id, `batch` an operator's, `state` and `light` as a device has them,
    `text` a part of its uuid or device id.
    """

    product: Name = ""
    batch: Name = ""
    state: Name = ""
    light: Name = ""
    text: Name = ""


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices: by index or uuid, or all that a `filter` fits (`{}`: all there are)."""

    devices: Annotated[tuple[int | Name, ...], Meta(max_length=NAMED_MAX)] = ()
    filter: Filter | None = None


class Press(Chosen, frozen=True, forbid_unknown_fields=True):
    """Hold the reset buttons; without `hold_ms` as long as each model wants for a reset."""

    hold_ms: Annotated[int, Meta(ge=1, le=HOLD_MS_MAX)] | None = None


class Power(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Apply or remove the voltage; with `per_s` of so many devices each second."""

    on: bool
    per_s: Annotated[float, Meta(ge=0.1, le=10_000)] | None = None


class Cable(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Put Ethernet cables in, or pull them."""

    plugged: bool


class Link(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Let devices have their network or lose it: by the cable, or out of the reach of Wi-Fi."""

    up: bool


class ShowText(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hold a phone with this code to lenses; null takes it away."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)] | None

    def __repr__(self) -> str:
        """Show nothing: a code has a password and a token in it."""
        return "ShowText(***)"


class Move(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Carry devices to another place."""

    place: Name


class Air(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Switch the Wi-Fi of a place on or off."""

    on: bool


class Add(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let more devices of a model come, switched on if `powered`."""

    profile: Name
    count: Annotated[int, Meta(ge=1, le=ADDED_MAX)] = 1
    powered: bool = True


class Inject(Chosen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Let a fault befall devices, or the cloud: `kind` and its keys as in a scenario.

    With a `state` it strikes a device when it next enters that. Faults of the cloud name no devices.
    """

    kind: Name
    for_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    within_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    state: Name = "any"
    latency_ms: int = 0
    late_s: float = 0.0
    loss_pct: int = 0
    duplicate_pct: int = 0
    reorder_ms: int = 0
    skew_s: int = 0
    by: Name = "kill"

    def table(self) -> FaultTable:
        """Return it as a table of a scenario. Raises msgspec.ValidationError for what cannot be."""
        own = {name: getattr(self, name) for name in _FAULT_KEYS}
        return msgspec.convert(own | {"during": ALWAYS}, FaultTable)


_FAULT_KEYS = tuple(
    field for field in Inject.__struct_fields__ if field not in Chosen.__struct_fields__
)


class Ramp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many operators work, and in batches of how many devices; null: as before."""

    operators: int | None = None
    batch_max: int | None = None


class Device(msgspec.Struct, frozen=True):
    """One device: what it is, how it is, and what people have done to it.

    `linked`: nobody has pulled its cable, or brought it out of the reach of Wi-Fi.
    `since_ms`: when it entered this state (Unix epoch), 0: never switched on yet.
    """

    index: int
    uuid: str
    dev_id: str
    product: str
    profile: str
    wired: bool
    place: str
    powered: bool
    linked: bool
    state: str
    session: str
    light: str
    operator: str
    batch: str
    since_ms: int


class Devices(msgspec.Struct, frozen=True):
    """A page of them. `next` is where the next one begins (`after=`), null when there is none."""

    total: int
    devices: list[Device]
    next: int | None


class Done(msgspec.Struct, frozen=True):
    """How many devices it was done to."""

    devices: int


class Added(msgspec.Struct, frozen=True):
    """What has come. Its keys are in the ready file of whoever has started the fleet, if anywhere."""

    devices: list[Device]


class KindOfFault(msgspec.Struct, frozen=True):
    """A kind of fault that can be injected; `keys` with what is allowed for each."""

    name: str
    what: str
    of: str
    keys: dict[str, str]


class Faults(msgspec.Struct, frozen=True):
    """What can be injected, and what was."""

    kinds: list[KindOfFault]
    injected: list[Injected]


class Model(msgspec.Struct, frozen=True):
    """A model of which devices can be added."""

    profile: str
    title: str
    wired: bool


class Overview(msgspec.Struct, frozen=True):
    """What runs here. `phase` is "" and `people` null where devices only stay."""

    scenario: str
    phase: str
    devices: int
    removed: int
    places: tuple[str, ...]
    without_wifi: tuple[str, ...]
    models: list[Model]
    people: People | None
