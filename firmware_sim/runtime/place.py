"""What every world holds for one device: its power, its networks, and what lies on its ways.

A world adds to it what its own means take. There are no dictionaries in places, so sharing costs
no memory.
"""

from typing import Any, Generic, Protocol, TypeVar

from firmware_sim import events as ev
from firmware_sim.device.device import Device
from firmware_sim.events import Event
from firmware_sim.runtime.faults import Fault


class World(Protocol):
    """Whoever runs the device of a place."""

    def work_off(self, place: Any, event: Event) -> None:
        """Tell the device what happened and carry out what it wants."""
        ...


class Connection(Protocol):
    """A device's end of a connection to its cloud."""

    def abandon(self) -> None:
        """Cut it, without another word to the device."""
        ...


class Port(Protocol):
    """The listening port of a device, and its LAN clients."""

    def close(self, *, hard: bool = False) -> None:
        """Stop listening and close all clients; `hard` as when the power is cut."""
        ...


class Cancellable(Protocol):
    """What was planned and can be taken back."""

    def cancel(self) -> None:
        """Take it back."""
        ...


C = TypeVar("C", bound=Connection)
S = TypeVar("S", bound=Connection)
L = TypeVar("L", bound=Port)


class Place(Generic[C, S, L]):
    """One device and what it is connected to.

    `switched_on` is what the operator's hand has done, `powered` whether there is voltage; `faults`
    lie on the device's ways now. `in_reach` says that it hears the access point of its site.
    `skew_ms` is how far its clock is ahead of everybody's. `calls` and `connects` count what was
    begun: calls over HTTP and connections to the broker.
    """

    __slots__ = (
        "_world",
        "call",
        "calls",
        "connects",
        "device",
        "faults",
        "in_reach",
        "index",
        "ip",
        "joining",
        "lan",
        "linked",
        "plugged",
        "powered",
        "site",
        "skew_ms",
        "stream",
        "switched_on",
    )

    def __init__(self, world: World, index: int, device: Device, ip: str, site: str) -> None:
        """Put a device without power at a site."""
        self._world = world
        self.index = index
        self.device = device
        self.ip = ip
        self.site = site
        self.powered = self.switched_on = False
        self.plugged = device.profile.wired
        self.in_reach = True
        self.linked = False
        self.joining: Cancellable | None = None
        self.call: C | None = None
        self.stream: S | None = None
        self.lan: L | None = None
        self.faults: tuple[Fault, ...] = ()
        self.skew_ms = 0
        self.calls = self.connects = 0

    def tell(self, event: Event) -> None:
        """Let something happen to the device."""
        self._world.work_off(self, event)

    def set_clock(self, skew_ms: int) -> None:
        """Put the device's clock so far ahead of everybody's, or behind where that is negative."""
        by_ms = skew_ms - self.skew_ms
        if by_ms:
            self.skew_ms = skew_ms
            self.tell(ev.ClockSet(by_ms))

    def cancel_join(self) -> None:
        """Let the join under way, if any, come to nothing."""
        if self.joining is not None:
            self.joining.cancel()
            self.joining = None

    def drop_network(self) -> None:
        """Lose the network and everything that goes over it, at once."""
        self.cancel_join()
        self.linked = False
        for connection in (self.call, self.stream):
            if connection is not None:
                connection.abandon()
        self.call = self.stream = None
        if self.lan is not None:
            self.lan.close(hard=True)
            self.lan = None


AnyPlace = Place[Any, Any, Any]
