"""The story of one device of a small run, from the reset button to its next owner.

A run is played in virtual time with a witness, and what concerns the device is taken from it: its
own steps, what the cloud does for it, and what the people do who bring it a token or bind it.
"""

from collections.abc import Iterator

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.runtime.virtual.trace import Entry
from fleet.run.population import VIRTUAL_DEVICES_MAX, Population, Unit, populate
from fleet.run.scenario import Scenario, load_scenario
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import MODEL, make_sight
from fleet.run.virtual.story import lines
from fleet.run.virtual.telling.cloud_witness import LIFE, NOBODY
from fleet.run.virtual.telling.line import Line, Lines, Turn
from fleet.run.virtual.telling.witness import Witness

SIZES_MAX = 200
"""How many devices a run may have that is chosen for being small."""
EPILOGUE_MS = 2000
DECODER = "pyzbar"


class Chapter(msgspec.Struct):
    """What follows a turn, None for what was before the first; each line with its time in ms."""

    turn: Turn | None
    lines: list[tuple[int, Line]]


class Story(msgspec.Struct, frozen=True):
    """One device, or everybody (None), in chapters; times count from the start of the run.

    `aborted` says why the run ended early, "" if it did not; `failures` what was wrong at its end.
    """

    population: Population
    unit: Unit | None
    chapters: tuple[Chapter, ...]
    aborted: str
    failures: tuple[str, ...]


def tell_story(
    scenario: str,
    *,
    devices: int | None = None,
    seed: int = 1,
    device: int | None = None,
    everything: bool = False,
) -> Story:
    """Play a scenario (built-in name or path) and tell what happens to one device.

    None stands for the smallest run in which a camera goes the whole way without trouble, and for
    that camera. With `everything` nothing is left out, and without a `device` nobody.

    Raises UsageError for a scenario, a size or a device that cannot be.
    """
    population = choose_population(load_scenario(scenario), devices, seed)
    unit = _whose(population, device, everything=everything)
    entries: list[Entry] = []
    witness = Witness(entries.append, None if unit is None else {unit.index})
    play = Play(population, make_sight(MODEL, DECODER), lambda _: None, witness=witness)
    play.play()
    result = play.result(DECODER)
    kept = entries if unit is None else [*_about(entries, unit)]
    start_ms = play.start_ms
    told = [(at_ms - start_ms, line) for at_ms, line in lines(kept) if everything or not line.aside]
    return Story(
        population=population,
        unit=unit,
        chapters=(Chapter(None, told),) if unit is None else _chapters(told, everything),
        aborted=result.aborted,
        failures=(*result.violations, *result.unmet),
    )


# --- whose story --------------------------------------------------------------------------------


def choose_population(scenario: Scenario, devices: int | None, seed: int) -> Population:
    """Return a population of `devices`, or the smallest one whose choice leaves nothing to wish."""
    if devices is not None:
        return populate(scenario, devices, seed, VIRTUAL_DEVICES_MAX)
    least, most = len(scenario.products), min(scenario.devices, SIZES_MAX)
    for size in range(least, most + 1):
        population = populate(scenario, size, seed)
        if _goes_all_the_way(choose_unit(population)):
            return population
    return populate(scenario, max(least, most), seed)


def choose_unit(population: Population) -> Unit:
    """Return the most instructive unit: bound anew, without trouble, and by QR code."""
    return min(
        population.units,
        key=lambda unit: (unit.new_owner is None, unit.trouble != "", unit.product.wired),
    )


def _goes_all_the_way(unit: Unit) -> bool:
    return unit.new_owner is not None and not unit.trouble and not unit.product.wired


def _whose(population: Population, index: int | None, *, everything: bool) -> Unit | None:
    if index is None:
        return None if everything else choose_unit(population)
    count = len(population.units)
    if not 0 <= index < count:
        raise UsageError(f"--device {index}: this run has devices 0 to {count - 1}; see --devices")
    return population.units[index]


# --- what belongs to it -------------------------------------------------------------------------


def _about(entries: list[Entry], unit: Unit) -> Iterator[Entry]:
    """Return the entries that concern a unit: its own, and those of people who deal with it."""
    people = {unit.new_owner.name} if unit.new_owner is not None else set()
    batches = {
        line.batch for _, _, number, what in entries if number == unit.index for line in _all(what)
    } - {""}
    for entry in entries:
        _, who, number, what = entry
        told = _all(what)
        if number == NOBODY and told:
            dealt = any(line.batch in batches for line in told) or told[0].who in people
            if dealt or who == LIFE:  # what befalls the cloud concerns everybody
                yield entry
        else:
            yield entry


def _all(what: object) -> Lines:
    return what if isinstance(what, tuple) else ()


def _chapters(told: list[tuple[int, Line]], everything: bool) -> tuple[Chapter, ...]:  # noqa: FBT001
    """Cut a story where it turns; what was before the first turn counts only if all is told."""
    chapters = [Chapter(None, [])]
    for at_ms, line in told:
        last = chapters[-1]
        if line.turn not in (None, last.turn):
            chapters.append(Chapter(line.turn, []))
            while line.turn is Turn.REBIND and last.lines and last.lines[-1][0] == at_ms:
                chapters[-1].lines.insert(0, last.lines.pop())  # switched off to be carried away
        chapters[-1].lines.append((at_ms, line))
    if everything:
        return tuple(chapters)
    kept = chapters[1:] or chapters
    return (*kept[:-1], _ended(kept[-1]))


def _ended(chapter: Chapter) -> Chapter:
    """Return the last chapter without what goes on for ever after the light's last change."""
    last_ms = max((at_ms for at_ms, line in chapter.lines if line.pattern is not None), default=0)
    end_ms = last_ms + EPILOGUE_MS
    return Chapter(chapter.turn, [one for one in chapter.lines if one[0] <= end_ms])
