"""A device whose every step is watched: what came in, which rows of its tables took it, what went out.

It behaves as any other device and costs more; a device that nobody watches pays nothing.
"""

from typing import Any, NamedTuple, Protocol

from firmware_sim.device.device import MACHINES, Device
from firmware_sim.device.machine import Machine, Row
from firmware_sim.effects import Effect
from firmware_sim.events import Event


class Fired(NamedTuple):
    """A table took a signal, in the state of the name `state`; `row` is None where it ignores it."""

    machine: Machine[Any]
    signal: Event
    state: str
    row: Row | None

    @property
    def place(self) -> str:
        """Return file and line of the row, or those of the table that ignores the signal."""
        return self.machine.place if self.row is None else self.row.place


class Watcher(Protocol):
    """Somebody who watches. A step is one event, from when it came in."""

    def before(self, device: "WatchedDevice", event: Event) -> None:
        """See the device as it is when the event comes."""
        ...

    def after(
        self, device: "WatchedDevice", event: Event, fired: list[Fired], effects: list[Effect]
    ) -> None:
        """See what it has made of the event, in order."""
        ...


class WatchedDevice(Device):
    """A `Device`, and somebody who watches it."""

    __slots__ = ("_fired", "_watcher")

    def __init__(self, *device: Any, watcher: Watcher) -> None:
        """Make a device as `Device` does; `watcher` is told of each step."""
        super().__init__(*device)
        self._watcher = watcher
        self._fired: list[Fired] = []

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event and return the effects, flash first."""
        self._watcher.before(self, event)
        effects = super().handle(event, now_ms)
        fired, self._fired = self._fired, []
        self._watcher.after(self, event, fired, effects)
        return effects

    def _step(self, signal: Event) -> None:
        for machine in MACHINES:
            if type(signal) in machine.events:
                state: str = getattr(self, machine.attribute).name
                row = machine.step(self, signal)
                self._fired.append(Fired(machine, signal, state, row))
        self._show(signal)
