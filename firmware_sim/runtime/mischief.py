"""Plays faults on the devices of a world, by what they do to ways, cables, clocks and supplies.

What begins and what ends with each kind is a table; what a kind means for whoever connects, joins or
speaks while it lies there is asked where that happens.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from firmware_sim import events as ev
from firmware_sim.runtime import faults
from firmware_sim.runtime.attachment import Attachment
from firmware_sim.runtime.faults import Fault, Lasting, concerns, lies
from firmware_sim.runtime.place import AnyPlace

P = TypeVar("P", bound=AnyPlace)
W = TypeVar("W", bound=AnyPlace, contravariant=True)
Table = Mapping[type[Fault], Callable[["Mischief[Any]", Any], None]]


class Ways(Protocol[W]):
    """The connections of all devices of a world."""

    def treat(self, place: W) -> None:
        """Let a device's connections have what lies on its ways now."""
        ...

    def kill(self, place: W) -> None:
        """Let those to its cloud die without a word, with what a connection that it left still held."""
        ...


class Mischief(Generic[P]):
    """All faults under way in one world, in the time of the running loop."""

    def __init__(self, attachment: Attachment, ways: Ways[P]) -> None:
        """Start without any."""
        self._loop = asyncio.get_running_loop()
        self._attachment = attachment
        self._ways = ways
        self._ends: dict[asyncio.TimerHandle, None] = {}

    def begin(self, place: P, fault: Fault) -> None:
        """Let a fault begin; it ends by itself. Means nothing where it cannot (`concerns`)."""
        if not concerns(type(fault), wired=place.device.profile.wired):
            return
        if isinstance(fault, Lasting):
            place.faults = (*place.faults, fault)
            self._end_later(place, fault)
        self._BEGIN.get(type(fault), _nothing)(self, place)

    def _end_later(self, place: P, fault: Lasting) -> None:
        def end() -> None:
            del self._ends[handle]
            self._end(place, fault)

        handle = self._loop.call_later(fault.for_ms / 1000, end)
        self._ends[handle] = None

    def _end(self, place: P, fault: Lasting) -> None:
        left = list(place.faults)
        left.remove(fault)
        place.faults = tuple(left)
        self._END.get(type(fault), _nothing)(self, place)

    def close(self) -> None:
        """Let nothing end any more."""
        for handle in self._ends:
            handle.cancel()
        self._ends.clear()

    # --- what begins, or begins and ends --------------------------------------------------------

    def _kill(self, place: P) -> None:
        """Nobody says goodbye on a link that is gone: the cloud finds out by itself."""
        self._ways.kill(place)

    def _unlink(self, place: P) -> None:
        self._kill(place)
        if place.linked:
            place.tell(ev.LinkDown())
        elif place.device.profile.wired:
            place.cancel_join()

    def _cut(self, place: P) -> None:
        if place.powered:
            self._kill(place)
            place.tell(ev.PowerRemoved())

    def _treat(self, place: P) -> None:
        self._ways.treat(place)

    def _set_clock(self, place: P) -> None:
        place.set_clock(faults.skew_ms(place.faults))

    # --- what ends ------------------------------------------------------------------------------

    def _replug(self, place: P) -> None:
        self._attachment.link_later(place)

    def _restore(self, place: P) -> None:
        if place.switched_on and not lies(faults.PowerCut, place.faults):
            place.tell(ev.PowerApplied())

    _BEGIN: ClassVar[Table] = {
        faults.WifiGone: _unlink,
        faults.CablePulled: _unlink,
        faults.PowerCut: _cut,
        faults.HalfOpen: _kill,
        faults.BlackHole: _treat,
        faults.Slow: _treat,
        faults.Loss: _treat,
        faults.Partition: _treat,
        faults.ClockSkew: _set_clock,
    }
    _END: ClassVar[Table] = {
        faults.CablePulled: _replug,
        faults.PowerCut: _restore,
        faults.BlackHole: _treat,
        faults.Slow: _treat,
        faults.Loss: _treat,
        faults.Partition: _treat,
        faults.ClockSkew: _set_clock,
    }


def _nothing(_: Mischief[Any], __: Any) -> None:
    """Of this kind, whoever connects, joins or speaks takes notice."""
