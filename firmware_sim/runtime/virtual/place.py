"""Everything that a virtual world holds for one device."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from firmware_sim import events as ev
from firmware_sim.device.device import Device
from firmware_sim.events import Event
from firmware_sim.runtime.faults import Fault

if TYPE_CHECKING:
    import asyncio

    from firmware_sim.runtime.virtual.lan import LanPort
    from firmware_sim.runtime.virtual.loop import Planned
    from firmware_sim.runtime.virtual.wan import Call, Stream

Tell = Callable[["Place", Event], None]


class Cancellable(Protocol):
    """What was planned and can be taken back."""

    def cancel(self) -> None:
        """Take it back."""
        ...


class Place:
    """One device and what it is connected to.

    `switched_on` is what the operator's hand has done, `powered` whether there is voltage; `faults`
    lie on the device's link now. `skew_ms` is how far its clock is ahead of everybody's. `calls` and
    `connects` count what was begun: calls over HTTP and connections to the broker.
    """

    __slots__ = (
        "_tell",
        "call",
        "calls",
        "connects",
        "device",
        "due_ms",
        "faults",
        "hole",
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

    def __init__(self, tell: Tell, index: int, device: Device, ip: str, site: str) -> None:
        """Put a device without power at a site."""
        self._tell = tell
        self.index = index
        self.device = device
        self.ip = ip
        self.site = site
        self.powered = self.switched_on = False
        self.plugged = device.profile.wired
        self.linked = False
        self.joining: Planned | asyncio.TimerHandle | None = None
        self.call: Call | None = None
        self.stream: Stream | None = None
        self.lan: LanPort | None = None
        self.faults: tuple[Fault, ...] = ()
        self.hole: object | None = None
        self.skew_ms = 0
        self.calls = self.connects = 0
        self.due_ms: int | None = None

    def tell(self, event: Event) -> None:
        """Let something happen to the device."""
        self._tell(self, event)

    def cancel_join(self) -> None:
        """Let the join under way, if any, come to nothing."""
        if self.joining is not None:
            self.joining.cancel()
            self.joining = None

    def drop_network(self) -> None:
        """Lose the network and everything that goes over it, at once."""
        self.cancel_join()
        self.linked = False
        if self.call is not None:
            self.call.abandon()
        if self.stream is not None:
            self.stream.abandon()
        self.call = self.stream = None
        if self.lan is not None:
            self.lan.close()
            self.lan = None


LINK_DOWN = ev.LinkDown()
