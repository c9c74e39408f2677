"""The ways of all devices of a live world, to their cloud and to the phones, under faults.

Nothing here exists for a healthy link.
"""

import asyncio

from firmware_sim.rng import Rng
from firmware_sim.runtime.faults import blocked
from firmware_sim.runtime.live.impaired import Impairments
from firmware_sim.runtime.live.lan_way import LanWay, impairs_lan
from firmware_sim.runtime.live.place import Place


class Ways:
    """What `Mischief` has its hands on."""

    def __init__(self, impairments: Impairments, rng: Rng) -> None:
        """Start with healthy ones; `rng` says what is lost."""
        self._impairments = impairments
        self._rng = rng
        self._lan: dict[Place, LanWay] = {}

    def treat(self, place: Place) -> None:
        """Let a device's connections have what lies on its ways now."""
        if blocked(place.faults):
            place.hole = place.hole or asyncio.Event()
        elif place.hole is not None:
            place.hole.set()
            place.hole = None
        self._impairments.treat(place, place.call, place.stream)
        self.treat_lan(place)

    def treat_lan(self, place: Place) -> None:
        """Let its LAN port have what lies between it and the phones."""
        way = self._lan.get(place)
        if way is None and impairs_lan(place.faults):
            way = self._lan[place] = LanWay(self._rng)
        if way is None:
            return
        way.treat(place.faults)
        if place.lan is not None:
            place.lan.way = way
        if way.idle:
            del self._lan[place]
            if place.lan is not None:
                place.lan.way = None

    def kill(self, place: Place) -> None:
        """Let the connections to the cloud die without a word, and what was left of others."""
        self._impairments.kill(place, place.call, place.stream)

    def close(self) -> None:
        """Close what waits for a LAN to be whole again."""
        for way in self._lan.values():
            way.treat(())
