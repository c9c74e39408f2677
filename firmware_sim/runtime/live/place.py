"""Everything that a live world holds for one device."""

import asyncio
from typing import Protocol

from firmware_sim import events as ev
from firmware_sim.device.device import Device
from firmware_sim.events import Event
from firmware_sim.runtime.faults import Fault
from firmware_sim.runtime.live.datagrams import source
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.lan_port import LanPort
from firmware_sim.runtime.live.mqtt_stream import MqttStream


class World(Protocol):
    """Whoever runs the device of a place."""

    def work_off(self, place: "Place", event: Event) -> None:
        """Tell the device what happened and carry out what it wants."""
        ...

    def report(self, place: "Place", text: str) -> None:
        """Let the operator know what this host lacks."""
        ...


class Place:
    """One device and what it is connected to.

    `switched_on` is what the operator's hand has done, `powered` whether there is voltage; `faults`
    lie on the device's link now, and `hole` ends the black hole, if there is one. `calls` and
    `connects` count what was begun: calls over HTTP and connections to the broker.
    """

    __slots__ = (
        "_world",
        "call",
        "calls",
        "connects",
        "device",
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
        "source",
        "stream",
        "switched_on",
    )

    def __init__(self, world: World, index: int, device: Device, ip: str, site: str) -> None:
        """Put a device without power at a site."""
        self._world = world
        self.index = index
        self.device = device
        self.ip = ip
        self.source = source(ip)
        self.site = site
        self.powered = self.switched_on = False
        self.plugged = device.profile.wired
        self.linked = False
        self.joining: asyncio.TimerHandle | None = None
        self.call: HttpCall | None = None
        self.stream: MqttStream | None = None
        self.lan: LanPort | None = None
        self.faults: tuple[Fault, ...] = ()
        self.hole: asyncio.Event | None = None
        self.calls = self.connects = 0

    def tell(self, event: Event) -> None:
        """Let something happen to the device."""
        self._world.work_off(self, event)

    def see(self, text: bytes) -> None:
        """Let the device's lens read a code."""
        self.tell(ev.FrameDecoded(text))

    def report(self, text: str) -> None:
        """Let the operator know that this host lacks something which the device needs."""
        self._world.report(self, text)

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
