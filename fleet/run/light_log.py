"""Which lights some devices have shown, and when: bounded, whatever the size of a fleet.

Of a large fleet every n-th device is followed. At the end a dozen of them are chosen: those that
came to no good end, those that took longest, and some that are like most.
"""

from array import array
from collections.abc import Iterable, Iterator

import msgspec

from firmware_sim.device.indicator import LIGHTS
from fleet.run.messages import Seen
from fleet.run.population import Population, Unit

TRACKED_MAX = 2_000  # devices
CHANGES_MAX = 200  # of each; of more, those in the middle go
CHOSEN_EACH = 4

FAILED, SLOW, TYPICAL = "failed", "slow", "typical"

_NUMBERS = {light: number for number, light in enumerate(LIGHTS)}
_ROOM = 32  # for the number of a light beside the time
_AT_WORK = ("joining", "registering")
_NO_GOOD = ("join_failed", "activation_failed")


class Track(msgspec.Struct, frozen=True):
    """The lights of one device, each with the time (ms, Unix epoch) at which it began.

    `why` it was chosen: `failed`, `slow` or `typical`. `took_ms`: from its first token to the light
    "unbound"; where nothing is unbound, how long it was not online after it had been. None: that
    never came. `cut`: there were more changes than are kept.
    """

    unit: Unit
    why: str
    took_ms: int | None
    changes: tuple[tuple[int, str], ...]
    cut: bool


class LightLog:
    """Changes of lights, of every device or of every n-th one."""

    def __init__(self, count: int) -> None:
        """Start with nothing; there are `count` devices."""
        self.every = max(1, -(-count // TRACKED_MAX))
        self._changes: dict[int, array[int]] = {}

    def take(self, seen: Seen) -> None:
        """Note the light that a device shows from now on."""
        index = seen.index
        if index % self.every:
            return
        changes = self._changes.get(index)
        if changes is None:
            if len(self._changes) >= TRACKED_MAX:
                return  # of those that came while it went on
            changes = self._changes[index] = array("q")
        elif len(changes) >= CHANGES_MAX:
            del changes[CHANGES_MAX // 2]
        changes.append(seen.at_ms * _ROOM + _NUMBERS.get(seen.light, 0))

    @property
    def tracked(self) -> int:
        """Return how many devices were followed."""
        return len(self._changes)

    def chosen(self, population: Population, done: Iterable[int]) -> tuple[Track, ...]:
        """Return a dozen devices worth a look; `done` are those that came to their good end.

        Devices that are not of the population, since they came later, are not among them.
        """
        good = set(done)
        unbind = population.scenario.unbind
        tracks = [
            self._track(population.units[index], good, unbind=unbind)
            for index in sorted(self._changes)
            if index < len(population.units)
        ]
        return tuple(_choose(tracks))

    def _track(self, unit: Unit, good: set[int], *, unbind: bool) -> Track:
        kept = self._changes[unit.index]
        changes = tuple((one // _ROOM, LIGHTS[one % _ROOM]) for one in kept)
        took_ms = _until_unbound(changes) if unbind else _away_ms(changes)
        bad = unit.index not in good or any(light in _NO_GOOD for _, light in changes)
        why = FAILED if bad else TYPICAL
        return Track(unit, why, took_ms, changes, cut=len(kept) >= CHANGES_MAX)


def _until_unbound(changes: tuple[tuple[int, str], ...]) -> int | None:
    began_ms = next((at_ms for at_ms, light in changes if light in _AT_WORK), None)
    ended_ms = next((at_ms for at_ms, light in changes if light == "unbound"), None)
    if began_ms is None or ended_ms is None:
        return None
    return max(0, ended_ms - began_ms)


def _away_ms(changes: tuple[tuple[int, str], ...]) -> int | None:
    """Return how long a device was not online after it had been; None: it never was, or stayed away."""
    away_ms, since_ms, was_online = 0, 0, False
    for at_ms, light in changes:
        if light == "online":
            away_ms += at_ms - since_ms if was_online and since_ms else 0
            since_ms, was_online = 0, True
        elif was_online and not since_ms:
            since_ms = at_ms
    return away_ms if was_online and not since_ms else None


def _choose(tracks: list[Track]) -> Iterator[Track]:
    """Yield the worst, then the slowest, then those in the middle; each once."""
    bad = sorted(
        (track for track in tracks if track.why == FAILED),
        key=lambda track: (track.took_ms is not None, -len(track.changes), track.unit.index),
    )
    yield from bad[:CHOSEN_EACH]
    rest = [track for track in tracks if track.why != FAILED]
    rest.sort(key=lambda track: (-(track.took_ms or 0), track.unit.index))
    slow = [track for track in rest[:CHOSEN_EACH] if track.took_ms]
    for track in slow:
        yield msgspec.structs.replace(track, why=SLOW)
    others = rest[len(slow) :]
    wanted = 3 * CHOSEN_EACH - len(bad[:CHOSEN_EACH]) - len(slow)
    first = max(0, (len(others) - wanted) // 2)
    yield from sorted(others[first : first + wanted], key=lambda track: track.unit.index)
