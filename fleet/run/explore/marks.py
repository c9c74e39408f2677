"""Which rows of the firmware's tables have fired: what exploring has reached, and what never.

TigerBeetle calls such things marks (`src/testing/marks.zig` in its repository).
"""

from collections.abc import Callable, Iterable
from functools import partial

from firmware_sim.device.device import MACHINES, Device
from firmware_sim.device.machine import Row
from firmware_sim.device.watched import Fired, WatchedDevice
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.run.virtual.telling.witness import Witness

ROWS: tuple[tuple[str, Row], ...] = tuple(
    (machine.attribute, row) for machine in MACHINES for row in machine.rows
)
"""All rows, with the name of their table; a mark is a place in here."""
_NUMBERS = {(name, id(row)): number for number, (name, row) in enumerate(ROWS)}


class Marks:
    """The rows that have fired so far. A `Watcher` of devices."""

    def __init__(self) -> None:
        """Start with none."""
        self._fired: dict[int, None] = {}

    def before(self, _: WatchedDevice, __: Event) -> None:
        """Nothing is to be seen yet."""

    def after(self, _: WatchedDevice, __: Event, fired: list[Fired], ___: list[Effect]) -> None:
        """Note the rows."""
        for one in fired:
            if one.row is not None:
                self._fired[_NUMBERS[one.machine.attribute, id(one.row)]] = None

    def numbers(self) -> tuple[int, ...]:
        """Return the marks, in order."""
        return tuple(sorted(self._fired))


class Marker(Witness):
    """A trace that tells nobody anything, and marks the rows of all devices."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        """Start with no marks."""
        super().__init__(lambda _: None, ())
        self.marks = Marks()

    def attend(self, *_: object) -> None:
        """Leave the cloud alone."""

    def device(self, _: int) -> Callable[..., Device]:
        """Return what makes a device whose rows are marked."""
        return partial(WatchedDevice, watcher=self.marks)


def missing(numbers: Iterable[int]) -> list[tuple[str, Row]]:
    """Return the rows that have no mark, in the order of the tables."""
    found = frozenset(numbers)
    return [row for number, row in enumerate(ROWS) if number not in found]
