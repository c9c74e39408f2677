"""Plays faults on the devices of a live world, each by what it does to sockets, cables and sites.

What begins and what ends with each kind is a table; what a kind means for whoever connects or joins
while it lasts is asked there (`Dialer`, `Attachment`).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from firmware_sim import events as ev
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import Fault, Lasting, blocked, concerns, lies
from firmware_sim.runtime.live.attachment import Attachment
from firmware_sim.runtime.live.impaired import Impairments
from firmware_sim.runtime.live.place import Place

Table = Mapping[type[Fault], Callable[["Mischief", Place], None]]


class Mischief:
    """All faults under way in one world."""

    def __init__(self, attachment: Attachment, impairments: Impairments) -> None:
        """Start without any."""
        self._loop = asyncio.get_running_loop()
        self._attachment = attachment
        self._impairments = impairments
        self._ends: dict[asyncio.TimerHandle, None] = {}

    def begin(self, place: Place, fault: Fault) -> None:
        """Let a fault begin; it ends by itself. Means nothing where it cannot (`concerns`)."""
        if not concerns(type(fault), wired=place.device.profile.wired):
            return
        if isinstance(fault, Lasting):
            place.faults = (*place.faults, fault)
            self._end_later(place, fault)
        self._BEGIN.get(type(fault), _nothing)(self, place)

    def _end_later(self, place: Place, fault: Lasting) -> None:
        def end() -> None:
            del self._ends[handle]
            self._end(place, fault)

        handle = self._loop.call_later(fault.for_ms / 1000, end)
        self._ends[handle] = None

    def _end(self, place: Place, fault: Lasting) -> None:
        left = list(place.faults)
        left.remove(fault)
        place.faults = tuple(left)
        self._END.get(type(fault), _nothing)(self, place)

    def close(self) -> None:
        """Let nothing end any more."""
        for handle in self._ends:
            handle.cancel()
        self._ends.clear()

    # --- what begins ----------------------------------------------------------------------------

    def _kill(self, place: Place) -> None:
        """Nobody says goodbye on a link that is gone: the cloud finds out by itself."""
        self._impairments.kill(place, place.call, place.stream)

    def _unlink(self, place: Place) -> None:
        self._kill(place)
        if place.linked:
            place.tell(ev.LinkDown())
        elif place.device.profile.wired:
            place.cancel_join()

    def _cut(self, place: Place) -> None:
        if place.powered:
            self._kill(place)
            place.tell(ev.PowerRemoved())

    def _treat(self, place: Place) -> None:
        self._impairments.treat(place, place.call, place.stream)

    def _block(self, place: Place) -> None:
        place.hole = place.hole or asyncio.Event()
        self._treat(place)

    # --- what ends ------------------------------------------------------------------------------

    def _unblock(self, place: Place) -> None:
        if place.hole is not None and not blocked(place.faults):
            place.hole.set()
            place.hole = None
        self._treat(place)

    def _replug(self, place: Place) -> None:
        self._attachment.link_later(place)

    def _restore(self, place: Place) -> None:
        if place.switched_on and not lies(faults.PowerCut, place.faults):
            place.tell(ev.PowerApplied())

    _BEGIN: ClassVar[Table] = {
        faults.WifiGone: _unlink,
        faults.CablePulled: _unlink,
        faults.PowerCut: _cut,
        faults.HalfOpen: _kill,
        faults.BlackHole: _block,
        faults.Slow: _treat,
    }
    _END: ClassVar[Table] = {
        faults.CablePulled: _replug,
        faults.PowerCut: _restore,
        faults.BlackHole: _unblock,
        faults.Slow: _treat,
    }


def _nothing(_: Mischief, __: Place) -> None:
    """Of this kind, whoever connects or joins takes notice."""
