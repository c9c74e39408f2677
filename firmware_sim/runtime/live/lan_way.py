"""The way between one device of a live world and its LAN clients, where a fault lies on it.

What passes comes later, or not for now. There is one as long as it is needed, and none on a healthy
LAN (see `impaired.py`, which does the same for the way to the cloud).
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial

from firmware_sim.rng import Rng
from firmware_sim.runtime.faults import Fault, Loss, lies, parted, resend_ms
from firmware_sim.runtime.live.impaired import Lane

HELD_MAX = 65536  # bytes of one client, each way; more is nothing that LAN clients say


def impairs_lan(faults: Sequence[Fault]) -> bool:
    """Say whether TCP on the LAN passes otherwise than on a healthy one."""
    return parted(faults) or lies(Loss, faults)


class LanWay:
    """The two lanes of each client, by its number."""

    __slots__ = ("_faults", "_graves", "_lanes", "_late", "_loop")

    def __init__(self, rng: Rng) -> None:
        """Start with nothing in the way; `rng` says what is lost."""
        self._loop = asyncio.get_running_loop()
        self._late = partial(resend_ms, rng=rng)
        self._faults: Sequence[Fault] = ()
        self._lanes: dict[int, tuple[Lane, Lane]] = {}
        self._graves: list[socket.socket] = []

    def treat(self, faults: Sequence[Fault]) -> None:
        """Treat what passes from now on as `faults` say."""
        self._faults = faults if impairs_lan(faults) else ()
        held = parted(faults)
        for lanes in list(self._lanes.values()):
            for lane in lanes:
                lane.treat(self._faults, held=held)
        if not held:
            graves, self._graves = self._graves, []
            for client in graves:
                client.close()

    @property
    def idle(self) -> bool:
        """Say whether nothing lies or is on the way."""
        return not self._faults and all(lane.idle for pair in self._lanes.values() for lane in pair)

    def inward(self, number: int, arrive: Callable[[], object], size: int = 0) -> bool:
        """Let something of a client set out for the device; return whether there is room for it."""
        return self._send(self._pair(number)[0], arrive, size)

    def outward(self, number: int, arrive: Callable[[], object], size: int = 0) -> bool:
        """Let something set out for a client; return whether there is room for it."""
        return self._send(self._pair(number)[1], arrive, size)

    @staticmethod
    def _send(lane: Lane, arrive: Callable[[], object], size: int) -> bool:
        if lane.size + size > HELD_MAX:
            return False
        lane.send(arrive, size)
        return True

    def _pair(self, number: int) -> tuple[Lane, Lane]:
        pair = self._lanes.get(number)
        if pair is None:
            pair = Lane(self._loop, self._late), Lane(self._loop, self._late)
            self._lanes[number] = pair
            for lane in pair:
                lane.treat(self._faults, held=parted(self._faults))
        return pair

    def bury(self, client: socket.socket) -> None:
        """Close a client's socket as soon as the client can hear of it."""
        if parted(self._faults):
            self._graves.append(client)
        else:
            client.close()

    def forget(self) -> None:
        """Lose whatever is on the way: the device listens no more."""
        for lanes in self._lanes.values():
            for lane in lanes:
                lane.clear()
        self._lanes.clear()
