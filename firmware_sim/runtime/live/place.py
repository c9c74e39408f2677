"""Everything that a live world holds for one device."""

import asyncio
from typing import Protocol

from firmware_sim import events as ev
from firmware_sim.device.device import Device
from firmware_sim.runtime import place
from firmware_sim.runtime.live.datagrams import source
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.lan_port import LanPort
from firmware_sim.runtime.live.mqtt_stream import MqttStream


class World(place.World, Protocol):
    """Whoever runs the device of a place, on a host that may lack something."""

    def report(self, place: "Place", text: str) -> None:
        """Let the operator know what this host lacks."""
        ...


class Place(place.Place[HttpCall, MqttStream, LanPort]):
    """One device of a live world; `hole` ends the black hole on its way, if there is one."""

    __slots__ = ("hole", "source")

    _world: World

    def __init__(self, world: World, index: int, device: Device, ip: str, site: str) -> None:
        """Put a device without power at a site."""
        super().__init__(world, index, device, ip, site)
        self.source = source(ip)
        self.hole: asyncio.Event | None = None

    def see(self, text: bytes) -> None:
        """Let the device's lens read a code."""
        self.tell(ev.FrameDecoded(text))

    def report(self, text: str) -> None:
        """Let the operator know that this host lacks something which the device needs."""
        self._world.report(self, text)
