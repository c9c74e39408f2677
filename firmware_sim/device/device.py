"""One device: identity, flash, three tables, and the door through which events come in.

`handle` turns a raw event into signals, lets every table that knows a signal take it, in the
order raised, and returns what the world is asked to do. A step that changed the flash begins with
`SaveFlash`, so nothing is told to anybody before it is kept. The device costs a few hundred bytes
while it is off: no task, no logger, no `random.Random`, and a decoder only while connected.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from firmware_sim import events
from firmware_sim.device import children, cloud_calls, cloud_link, lan, signals, update, uplink
from firmware_sim.device.button import BUTTON
from firmware_sim.device.flash import Flash, read_image
from firmware_sim.device.indicator import shown
from firmware_sim.device.lan_link import Client, forget
from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.machine import Machine
from firmware_sim.device.profile import Profile, WhileUpdating
from firmware_sim.device.session import SESSION
from firmware_sim.device.states import Button, Lifecycle, Outcome, Session
from firmware_sim.device.timers import Timer, Timers
from firmware_sim.effects import Effect, Noted, SaveFlash, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import Event
from firmware_sim.rng import Rng
from firmware_sim.wire import mqtt
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.generation import DIALECTS, Dialect
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import TokenParts

MACHINES: tuple[Machine[Any], ...] = (LIFECYCLE, SESSION, BUTTON)
_TAKERS: dict[type[Event], tuple[Machine[Any], ...]] = {
    signal: tuple(machine for machine in MACHINES if signal in machine.events)
    for each in MACHINES
    for signal in each.events
}
"""Which tables know a signal, in their order."""


class Identity(msgspec.Struct, frozen=True, gc=False):
    """What is burnt in at production."""

    uuid: str
    auth_key: str
    product_id: str

    def __post_init__(self) -> None:
        """Raise UsageError for lengths that the vendor's firmware cannot hold."""
        if not 1 <= len(self.uuid) <= 25 or len(self.auth_key) != 32:
            raise UsageError(f"device {self.uuid!r}: uuid takes 1 to 25 characters, auth_key 32")
        if not 1 <= len(self.product_id) <= 16:
            raise UsageError(f"device {self.uuid!r}: product_id takes 1 to 16 characters")

    def __repr__(self) -> str:
        """Show no key."""
        return f"Identity(uuid={self.uuid!r}, product_id={self.product_id!r})"


class Device:
    """A simulated device; a `Node`. Only `Machine.step` assigns the three state attributes."""

    __slots__ = (
        "_dirty",
        "_out",
        "_shown",
        "_signals",
        "admitted",
        "admitted_ms",
        "ahead_s",
        "asked",
        "awaited",
        "backoff_bound_ms",
        "button",
        "call",
        "call_number",
        "children",
        "clients",
        "decoder",
        "endpoints",
        "errands",
        "flash",
        "identity",
        "iot_dns",
        "iot_dns_anchor",
        "ip",
        "lan_card",
        "lan_version",
        "lifecycle",
        "loading",
        "now_ms",
        "offer",
        "outcome",
        "profile",
        "refused",
        "restarted",
        "rng",
        "rpc_id",
        "sequence",
        "session",
        "timers",
        "token",
        "tries",
        "unacknowledged",
    )

    def __init__(
        self,
        profile: Profile,
        identity: Identity,
        seed: int,
        iot_dns: tuple[str, int],
        flash: bytes = b"",
        lan_version: LanVersion | None = None,
        iot_dns_anchor: bytes = b"",
    ) -> None:
        """Make a device without power. `iot_dns` is (host, port) of the first server it asks.

        `flash` is an image of `Flash.image`; raises UsageError when it is not. `lan_version` is
        what this unit's firmware speaks, the profile's when None. `iot_dns_anchor` is the
        certificate (DER) built in for that first server, empty when it is asked in the clear.
        """
        self.profile = profile
        self.lan_version = lan_version or profile.firmware.lan_version
        self.identity = identity
        self.iot_dns = iot_dns
        self.iot_dns_anchor = iot_dns_anchor
        self.rng = Rng(seed)
        self.flash: Flash = read_image(flash)
        self.timers = Timers()
        self.lifecycle = Lifecycle.OFF
        self.session = Session.DOWN
        self.button = Button.UP
        self.outcome = Outcome.NONE
        self.sequence = self.rng.below(0x10000)
        self.call_number = 0
        self.ip = ""
        self.now_ms = 0
        self.restarted = False
        self.children: children.Children | None = None
        self._out: list[Effect] = []
        self._signals: list[Event] = []
        self._dirty = False
        self._shown = (self.lifecycle, self.session, self.outcome)
        self.forget_volatile()

    def forget_volatile(self) -> None:
        """Lose what a restart loses; the address goes only with the network."""
        self.endpoints: cloud_calls.Servers | None = None
        self.offer: signals.PairingRead | None = None
        self.token: TokenParts | None = None
        self.call: cloud_calls.Call | None = None
        self.decoder: mqtt.Decoder | None = None
        self.clients: dict[int, Client] | None = None
        self.lan_card: lan.Card | None = None
        self.awaited: dict[int, uplink.Answered] | None = None
        self.errands: tuple[uplink.Errand, ...] = ()
        self.loading: update.Loading | None = None
        self.children = children.restarted(self)
        self.admitted = self.asked = self.refused = False
        self.unacknowledged = self.tries = self.rpc_id = 0
        self.backoff_bound_ms = self.admitted_ms = self.ahead_s = 0
        self.timers.disarm(Timer.LAN_IDLE)

    # --- the contract of a node -----------------------------------------------------------------

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event and return the effects, flash first."""
        self.now_ms = now_ms
        self._out = out = list[Effect]()
        ROUTES[type(event)](self, event)
        for signal in self._signals:  # grows while signals raise signals
            self._step(signal)
        self._signals.clear()
        if self._dirty:
            self._dirty = False
            out.insert(0, SaveFlash(self.flash.image()))
        self._out = _NOTHING
        return out

    def next_deadline_ms(self) -> int | None:
        """Return the earliest timer."""
        return self.timers.next_ms()

    def _step(self, signal: Event) -> None:
        for machine in _TAKERS.get(type(signal), ()):
            machine.step(self, signal)
        self._show(signal)

    def _show(self, cause: Event) -> None:
        state = (self.lifecycle, self.session, self.outcome)
        shown = self._shown
        if state[0] is shown[0] and state[1] is shown[1] and state[2] is shown[2]:
            return
        self._shown = _STATES.setdefault(state, state)
        self._out.append(_state_shown(*state, type(cause)))

    @property
    def light(self) -> str:
        """Return the name of the pattern that the light shows now."""
        return shown(*self._shown).light

    @property
    def operator(self) -> str:
        """Return what the operator of a batch unbinding reads now, or ""."""
        return shown(*self._shown).operator

    # --- what actions use -----------------------------------------------------------------------

    @property
    def now_s(self) -> int:
        """Return the device's clock in seconds since the Unix epoch, set right if it was."""
        return self.now_ms // 1000 + self.ahead_s

    def set_time(self, now_s: int) -> None:
        """Set the clock, which a restart forgets; what is waited for takes as long as before."""
        self.ahead_s = now_s - self.now_ms // 1000

    @property
    def dialect(self) -> Dialect:
        """Return how our generation of firmware talks to the cloud."""
        return DIALECTS[self.profile.firmware.generation]

    @property
    def software_version(self) -> str:
        """Return the version that runs: the one installed last, else the one from the factory."""
        return self.flash.software or self.profile.firmware.software_version

    @property
    def refuses_reset(self) -> bool:
        """Say whether a reset would be refused now, because new firmware is being loaded."""
        habit = self.profile.firmware.reset_during_update
        return self.loading is not None and habit is WhileUpdating.REFUSE

    @property
    def local_key(self) -> bytes:
        """Return the AES key of the messages on our topics."""
        return aes_key(self.flash.local_key)

    def emit(self, effect: Effect) -> None:
        """Ask the world for something."""
        self._out.append(effect)

    def note(self, kind: str, detail: str) -> None:
        """Tell an observer what no state shows."""
        self._out.append(Noted(kind, detail))

    def raise_signal(self, signal: Event) -> None:
        """Tell the tables something, after the current step."""
        self._signals.append(signal)

    def arm(self, timer: Timer, delay_ms: int) -> None:
        """Let a timer run out `delay_ms` from now."""
        self.timers.arm(timer, self.now_ms + delay_ms)

    def mark_flash(self) -> None:
        """Have the flash saved before this step's effects leave."""
        self._dirty = True

    def next_sequence(self) -> int:
        """Return the sequence number of the next message."""
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        return self.sequence

    def nonce(self) -> bytes:
        """Return a nonce for the next message to the cloud, empty if our generation has none."""
        return self.rng.bytes(self.dialect.nonce_size)


_NOTHING: list[Effect] = []
_STATES: dict[tuple[Lifecycle, Session, Outcome], tuple[Lifecycle, Session, Outcome]] = {}
"""All states that any device has shown; devices in the same state share one object."""


@lru_cache(maxsize=4096)
def _state_shown(
    lifecycle: Lifecycle, session: Session, outcome: Outcome, cause: type[Event]
) -> StateShown:
    output = shown(lifecycle, session, outcome)
    return StateShown(
        lifecycle=lifecycle.name,
        session=session.name,
        light=output.light,
        operator=output.operator,
        cause=cause.__name__,
    )


# --- from raw events to signals -----------------------------------------------------------------


def _pass(device: Device, event: Event) -> None:
    device.raise_signal(event)


def _deadline(device: Device, _: Event) -> None:
    for signal in device.timers.expired(device.now_ms):
        device.raise_signal(signal)


def _clock_set(device: Device, event: events.ClockSet) -> None:
    device.timers.postpone(event.by_ms)
    children.postpone(device, event.by_ms)
    if device.admitted_ms:
        device.admitted_ms += event.by_ms
    for client in (device.clients or {}).values():
        client.heard_ms += event.by_ms


ROUTES: dict[type[Event], Callable[[Device, Any], None]] = {
    events.PowerApplied: _pass,
    events.PowerRemoved: _pass,
    events.ButtonPressed: _pass,
    events.ButtonReleased: _pass,
    events.DeadlineReached: _deadline,
    events.ClockSet: _clock_set,
    events.LinkUp: _pass,
    events.LinkDown: _pass,
    events.WifiJoined: _pass,
    events.WifiRefused: _pass,
    events.FrameDecoded: _pass,
    events.ChildReached: _pass,
    events.ChildLost: _pass,
    events.ChildJoined: _pass,
    events.ChildLeft: _pass,
    events.HttpReplied: cloud_calls.replied,
    events.HttpFailed: lambda device, event: cloud_calls.failed(device, event.call, event.reason),
    events.MqttOpened: _pass,
    events.MqttReceived: lambda device, event: cloud_link.received(device, event.data),
    events.MqttClosed: cloud_link.lost,
    events.LanOpened: lan.opened,
    events.LanReceived: lan.received,
    events.LanClosed: lambda device, event: forget(device, event.conn),
    events.DatagramReceived: lan.solicited,
}
