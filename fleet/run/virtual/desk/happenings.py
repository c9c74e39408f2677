"""What happens at a desk, as it is told to whoever looks on: one struct for each kind of thing.

Times are virtual milliseconds since the Unix epoch. Nothing that is secret is in any of them.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from firmware_sim.device.device import Device
from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.watched import Fired, WatchedDevice, Watcher
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.runtime.virtual.trace import Entry
from fleet.run.virtual.telling.device_witness import DeviceWitness
from fleet.run.virtual.telling.line import Lines
from fleet.run.virtual.telling.witness import Witness

_DETAILS = (
    *("-> ", "<- ", "writes its flash", "takes LAN clients", "looks for", "notes "),
    "it is time to announce itself",
)
_DEVICE = "device"


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """The device shows another state. `light` is the name of a pattern of its model."""

    at_ms: int
    lifecycle: str
    session: str
    light: str
    operator: str
    cause: str


class Turned(msgspec.Struct, frozen=True, tag="turned"):
    """The table of its life has brought the device from one state to another, on `event`."""

    at_ms: int
    state: str
    target: str
    event: str


class Sounded(msgspec.Struct, frozen=True, tag="sounded"):
    """The device plays a tone: 1 or 2."""

    at_ms: int
    tone: int


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Somebody did something, in words; `detail`: only who wants to know exactly needs it."""

    at_ms: int
    who: str
    text: str
    detail: bool = False


Happening = Shown | Turned | Sounded | Told
Tell = Callable[[Happening], None]


class DeskWitness(Witness):
    """Sees everything at a desk with one device, and tells it as happenings."""

    __slots__ = ("_pass_on",)

    def __init__(self, pass_on: Tell) -> None:
        """Pass on what is seen."""
        super().__init__(self._entered)
        self._pass_on = pass_on

    def device(self, index: int) -> Callable[..., Device]:
        """Return what makes the device, with the arguments of `Device`."""
        told = DeviceWitness(_DEVICE, lambda lines: self._tell(_DEVICE, index, lines))
        return partial(WatchedDevice, watcher=_Both(told, self._turned))

    def say(self, who: str, text: str) -> None:
        """Tell what people do."""
        self._pass_on(Told(self._agenda.now_ms, who, text))

    def _turned(self, fired: list[Fired]) -> None:
        for one in fired:
            if one.machine is LIFECYCLE and one.row is not None and one.row.target is not None:
                event = type(one.signal).__name__
                turned = Turned(self._agenda.now_ms, one.state, one.row.target.name, event)
                self._pass_on(turned)

    def _entered(self, entry: Entry) -> None:
        at_ms, who, _, what = entry
        if not isinstance(what, tuple):
            self._pass_on(Told(at_ms, who, str(what), detail=True))
            return
        lines: Lines = what
        for line in lines:
            detail = line.aside or line.who != _DEVICE or _is_detail(line.text)
            self._pass_on(Told(at_ms, line.who, line.text, detail=detail))


class _Both:
    """A watcher that tells in words, and which rows have fired."""

    def __init__(self, words: Watcher, fired: Callable[[list[Fired]], None]) -> None:
        self._words = words
        self._fired = fired

    def before(self, device: WatchedDevice, event: Event) -> None:
        self._words.before(device, event)

    def after(
        self, device: WatchedDevice, event: Event, fired: list[Fired], effects: list[Effect]
    ) -> None:
        self._fired(fired)
        self._words.after(device, event, fired, effects)


def _is_detail(text: str) -> bool:
    return text.startswith(_DETAILS) or "[session " in text
