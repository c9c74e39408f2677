"""What the runner and its shard processes tell each other: one struct per message, as MessagePack.

Runner to shard are orders (`Order`), shard to runner are reports (`Report`). Indices are those of
the whole population; a shard knows only its own. Observations are batched by the shard, so there
is one message per shard and tenth of a second, however many devices it holds.
"""

import msgspec

from firmware_sim.runtime.faults import AnyFault
from firmware_sim.wire.lan_version import LanVersion
from fleet.run.histogram import Histogram

STATES_MAX = 4096  # observations in one message; more go into the next one

# --- runner -> shard ----------------------------------------------------------------------------


class SiteSpec(msgspec.Struct, frozen=True):
    """A place with one access point: its networks (name to password), association in `join_ms`."""

    name: str
    networks: dict[str, str]
    join_ms: int

    def __repr__(self) -> str:
        """Show the place and how many networks, never their passwords."""
        return f"SiteSpec({self.name!r}, {len(self.networks)} networks)"


class DeviceSpec(msgspec.Struct, frozen=True, array_like=True):
    """One device to create, unpowered. `profile` is a name or path for the catalogue."""

    index: int
    uuid: str
    auth_key: str
    product_id: str
    profile: str
    seed: int
    lan_version: LanVersion
    ip: str
    site: str
    flash: bytes

    def __repr__(self) -> str:
        """Show which device, never its keys."""
        return f"DeviceSpec({self.index}, {self.uuid!r}, {self.ip})"


class SetUp(msgspec.Struct, frozen=True, tag=True):
    """Create the world; answered by `ShardReady` or `ShardBroken`."""

    shard: int
    seed: int
    sites: tuple[SiteSpec, ...]
    iot_dns_host: str
    iot_dns_port: int
    broadcast_ip: str
    decoder: str
    decode_workers: int
    journal: str
    devices: tuple[DeviceSpec, ...]
    iot_dns_anchor: bytes = b""  # certificate (DER) built into devices; empty: not encrypted


class SwitchPower(msgspec.Struct, frozen=True, tag=True):
    """Apply or remove the supply voltage of these devices."""

    indices: tuple[int, ...]
    on: bool


class HoldButton(msgspec.Struct, frozen=True, tag=True):
    """Press the reset button of these devices for `hold_ms`, then let go."""

    indices: tuple[int, ...]
    hold_ms: int


class ShowCode(msgspec.Struct, frozen=True, tag=True):
    """Bring a phone with this QR code into view of these cameras, or take it away (None)."""

    indices: tuple[int, ...]
    payload: bytes | None

    def __repr__(self) -> str:
        """Show how many see it, never the code: it holds a password and a token."""
        return f"ShowCode({len(self.indices)} cameras, {'***' if self.payload else None})"


class MoveTo(msgspec.Struct, frozen=True, tag=True):
    """Carry these devices to another place."""

    indices: tuple[int, ...]
    site: str


class Plug(msgspec.Struct, frozen=True, tag=True):
    """Put the Ethernet cables of these devices in, or pull them; others leave the reach of Wi-Fi."""

    indices: tuple[int, ...]
    connected: bool


class SwitchAir(msgspec.Struct, frozen=True, tag=True):
    """Switch the access point of a place on or off."""

    site: str
    on: bool


class AddDevices(msgspec.Struct, frozen=True, tag=True):
    """Create more devices, unpowered, and the networks of their places; answered by `DevicesAdded`."""

    sites: tuple[SiteSpec, ...]
    devices: tuple[DeviceSpec, ...]


class RemoveDevices(msgspec.Struct, frozen=True, tag=True):
    """Switch these devices off for good: orders that name them mean nothing any more."""

    indices: tuple[int, ...]


class Intend(msgspec.Struct, frozen=True, tag=True):
    """Say what the next pairing of these devices is for: `unbind` or `rebind` (for the clocks)."""

    indices: tuple[int, ...]
    purpose: str


class LayAmbush(msgspec.Struct, frozen=True, tag=True):
    """Let a fault strike devices, each after its delay; with a `state`, once it has entered that.

    `number` is the fault's table in the scenario.
    """

    number: int
    fault: AnyFault
    indices: tuple[int, ...]
    delays_ms: tuple[int, ...]
    state: str


class CallOff(msgspec.Struct, frozen=True, tag=True):
    """Forget what the tables with these numbers have not begun yet."""

    numbers: tuple[int, ...]


class TakeSnapshot(msgspec.Struct, frozen=True, tag=True):
    """Report what each device is and holds now; answered by `Snapshot`."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Power everything off and end the process."""


Order = (
    SetUp
    | SwitchPower
    | HoldButton
    | ShowCode
    | MoveTo
    | Plug
    | SwitchAir
    | AddDevices
    | RemoveDevices
    | Intend
    | LayAmbush
    | CallOff
    | TakeSnapshot
    | Stop
)

# --- shard -> runner ----------------------------------------------------------------------------


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A device entered a state, `at_ms` since the Unix epoch; texts as in `StateShown`."""

    index: int
    at_ms: int
    lifecycle: str
    session: str
    light: str
    operator: str
    cause: str


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that no state shows, as in `Noted`."""

    index: int
    at_ms: int
    kind: str
    detail: str


class ShardReady(msgspec.Struct, frozen=True, tag=True):
    """All devices exist."""

    devices: int


class DevicesAdded(msgspec.Struct, frozen=True, tag=True):
    """So many more devices exist."""

    devices: int


class ShardBroken(msgspec.Struct, frozen=True, tag=True):
    """The shard cannot go on and ends; `text` is one line for the operator."""

    text: str


class Observed(msgspec.Struct, frozen=True, tag=True):
    """What happened since the last message, in order."""

    seen: tuple[Seen, ...]
    heard: tuple[Heard, ...]


class Pulse(msgspec.Struct, frozen=True, tag=True):
    """Measurements since the last pulse (phases by name, loop lag), and all lens work so far.

    `struck` counts the faults that have begun since then, by table and by the state struck;
    `by_method` has the phases once more, those of devices that are unbound by `qr` and by `wired`.
    """

    phases: dict[str, Histogram]
    loop_lag: Histogram
    frames: int
    decoded: int
    lens_cpu_ms: float
    struck: dict[int, dict[str, int]] = {}
    by_method: dict[str, dict[str, Histogram]] = {}


class Chip(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one device is and what its flash says: `dev_id` last given, `activated` holds keys.

    `calls` over HTTP and `connects` to the broker are what it has begun since its shard began.
    `severed`: its session has died without a word, and it has not noticed yet. `erasing`: a reset has
    begun, which firmware finishes at its next start if it is not finished now.
    """

    index: int
    lifecycle: str
    session: str
    outcome: str
    light: str
    operator: str
    dev_id: str
    activated: bool
    calls: int = 0
    connects: int = 0
    severed: bool = False
    erasing: bool = False


class Snapshot(msgspec.Struct, frozen=True, tag=True):
    """Every device of the shard."""

    chips: tuple[Chip, ...]


Report = ShardReady | DevicesAdded | ShardBroken | Observed | Pulse | Snapshot
