"""The ways of all devices of a virtual world, to their cloud and to the phones, under faults.

What passes is asked about the faults of that moment (`wan.py`, `lan.py`); here is what happens to
connections that stand when a fault begins or ends.
"""

from firmware_sim.runtime.faults import blocked, parted
from firmware_sim.runtime.virtual.lan import Lan
from firmware_sim.runtime.virtual.place import Place
from firmware_sim.runtime.virtual.wan import Wan


class Ways:
    """What `Mischief` has its hands on."""

    def __init__(self, wan: Wan, lan: Lan) -> None:
        """Take the two networks."""
        self._wan = wan
        self._lan = lan

    def treat(self, place: Place) -> None:
        """Let what was held set out, if it gets through again."""
        if not blocked(place.faults):
            self._wan.let_go(place)
        if not parted(place.faults):
            self._lan.let_go(place)

    def kill(self, place: Place) -> None:
        """Let the connections to the cloud die without a word, with what was held of others."""
        for end in (place.call, place.stream):
            if end is not None:
                end.die()
        self._wan.lose(place)
