"""Sees everything of a run in virtual time, and passes it on in words.

A witness is the trace of its run, with the same digest: whether somebody looks on changes nothing.
Whom it is told to watch is made watchable when it is made; all others cost what they always do.
"""

from collections.abc import Callable, Container, Iterable, Mapping

import msgspec

from firmware_sim.device.device import Device
from firmware_sim.runtime.faults import AnyFault
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.trace import Entry, Trace
from fleet.run.phases import REBIND, UNBIND
from fleet.run.population import Population
from fleet.run.stage import HOMES, WAREHOUSE
from fleet.run.virtual.cloud import VirtualCloud
from fleet.run.virtual.telling.cloud_witness import NOBODY, PERSON, CloudWitness
from fleet.run.virtual.telling.device_witness import DeviceWitness
from fleet.run.virtual.telling.device_words import seconds
from fleet.run.virtual.telling.line import Line, Lines, Turn, device_name

_PURPOSES = {
    UNBIND: ("is the next to be unbound", Turn.UNBIND),
    REBIND: ("is to be bound to its new owner", Turn.REBIND),
}
_SITES = {HOMES: "a home", WAREHOUSE: "the warehouse"}


_UNITS: Mapping[str, Callable[[int], str]] = {
    "ms": seconds,
    "s": lambda value: f"{value} s",
    "pct": lambda value: f"{value} %",
}


def _term(name: str, value: int) -> str:
    """Return one property of a fault; the unit is the last part of its name."""
    words, _, unit = name.rpartition("_")
    return f"{words} {_UNITS[unit](value)}"


class Witness(Trace):
    """A trace that tells. Give it to a `Play`; each entry is passed to `take` as it comes.

    `what` of an entry is then `Lines`, and its number that of the device it is about, or `NOBODY`.
    What others note, such as a crash of the cloud, is passed on as a trace has it.
    """

    __slots__ = ("_agenda", "_indices", "_take")

    def __init__(self, take: Callable[[Entry], None], indices: Iterable[int] | None = None) -> None:
        """Watch the devices with these numbers, or all of them, and all people."""
        super().__init__()
        self._take = take
        self._indices: Container[int] | None = None if indices is None else frozenset(indices)
        self._agenda = Agenda(0)

    def attend(
        self,
        agenda: Agenda,
        cloud: VirtualCloud,
        population: Population,
        address: Callable[[int], str],
    ) -> None:
        """Be there from the start; called by the crew. `address` says where each device is."""
        self._agenda = agenda
        uuids = [unit.uuid for unit in population.units]
        addresses = [address(unit.index) for unit in population.units]
        seen = CloudWitness(cloud, agenda, uuids, addresses, self._tell)
        cloud.started.append(seen.started)
        cloud.arrived.append(seen.arrived)
        cloud.decided.append(seen.decided)

    def watches(self, index: int) -> bool:
        """Say whether a device is one of those that are watched."""
        return self._indices is None or index in self._indices

    def device(self, index: int) -> Callable[..., Device]:
        """Return what makes device `index`, with the arguments of `Device`."""
        if not self.watches(index):
            return Device
        name = device_name(index)
        return DeviceWitness(name, lambda lines: self._tell("device", index, lines)).make

    # --- what hands do --------------------------------------------------------------------------

    def intended(self, index: int, purpose: str) -> None:
        """Somebody is about to bring a device a token."""
        text, turn = _PURPOSES[purpose]
        self._say("bench", index, f"{device_name(index)} {text}", turn)

    def shown(self, index: int, payload: bytes | None) -> None:
        """Somebody holds a QR code in front of a lens, or takes it away."""
        what = "the phone is taken away from the lens of"
        if payload is not None:
            what = f"a phone shows a QR code of {len(payload)} bytes to the lens of"
        self._say("bench", index, f"{what} {device_name(index)}")

    def moved(self, index: int, site: str) -> None:
        """Somebody carries a device to another place."""
        turn = Turn.REBIND if site == HOMES else None
        self._say("bench", index, f"{device_name(index)} is carried to {_SITES[site]}", turn)

    def struck(self, index: int, fault: AnyFault) -> None:
        """A fault befalls a device."""
        details = msgspec.to_builtins(fault)
        kind = details.pop("kind")
        terms = [_term(name, value) for name, value in details.items()]
        self._say("fault", index, ", ".join([f"{kind} at {device_name(index)}", *terms]))

    # --- what others enter ----------------------------------------------------------------------

    def note(self, now_ms: int, who: str, number: int, what: str, content: bytes = b"") -> None:
        """Enter what people and servers do; what people ask the cloud for is told by the cloud."""
        super().note(now_ms, who, number, what, content)
        if who != PERSON:
            self._take((now_ms, who, number, what))

    def _say(self, who: str, index: int, text: str, turn: Turn | None = None) -> None:
        if self.watches(index):
            self._tell(who, index, (Line(who, text, turn=turn),))

    def _tell(self, who: str, index: int, lines: Lines) -> None:
        if lines and (index == NOBODY or self.watches(index)):
            self._take((self._agenda.now_ms, who, index, lines))
