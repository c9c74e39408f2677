"""`fleet replay`: a case is played again and shown event by event.

The exit code is 1 if it fails, 0 if not, 130 after Ctrl-C.
"""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from firmware_sim.errors import UsageError
from fleet.run.explore import record, words
from fleet.run.explore.command import BY_SIGNAL, CLEAN, FOUND, usual_devices
from fleet.run.explore.draw import draw
from fleet.run.explore.outcome import Outcome
from fleet.run.explore.record import Record
from fleet.run.explore.retell import Cut, retell
from fleet.run.scenario import load_scenario

FILE = ".json"


def replay(what: str, seed: int | None, devices: int | None, cut: Cut, console: Console) -> int:
    """Play a case again, show it event by event, and return the exit code.

    `what` is the file of a case, or a scenario: then `seed` is played as exploring plays it. Raises
    UsageError for what cannot be.
    """
    kept = _from_file(what, seed, devices) if what.endswith(FILE) else _drawn(what, seed, devices)
    case = kept.case
    count = len(case.population().units)
    if cut.device is not None and cut.device >= count:
        raise UsageError(f"--device {cut.device}: this run has devices 0 to {count - 1}")
    program = record.program()

    def say(line: str, style: str = "") -> None:
        console.print(Text(line, style=style), soft_wrap=True)

    say(f"{case.scenario.name}, program {program}", "bold")
    for line in words.indented(words.contents(case)):
        say(line)
    try:
        outcome = retell(case, cut, say)
    except KeyboardInterrupt:
        return BY_SIGNAL
    for line in verdict(outcome, kept, program):
        say(line, "bold")
    return CLEAN if outcome.finding is None else FOUND


def _from_file(path: str, seed: int | None, devices: int | None) -> Record:
    for option, given in (("--seed", seed), ("--devices", devices)):
        if given is not None:
            raise UsageError(f"{option}: the case in {path} has its own; leave it out")
    return record.read(Path(path))


def _drawn(name: str, seed: int | None, devices: int | None) -> Record:
    if seed is None:
        raise UsageError("which run? give --seed, or the file of a case (.json)")
    scenario = load_scenario(name)
    return Record(draw(scenario, devices or usual_devices(scenario), seed))


def verdict(outcome: Outcome, kept: Record, program: str) -> Iterator[str]:
    """Return what a case came to, held against what is on file about it."""
    finding, wanted = outcome.finding, kept.finding
    if finding is not None:
        yield from words.failure(finding)
    else:
        yield "nothing is violated"
    if wanted is None:
        return
    if finding is None or finding.name != wanted.name:
        yield (
            f"it does not fail as it did: {wanted.name}: {wanted.what}; that was program "
            f"{kept.program or 'unknown'}, this is {program}"
        )
    elif outcome.digest == kept.digest:
        yield f"the same run as on file, to the byte (trace {outcome.digest})"
    else:
        yield f"it fails as it did, in another run; that was program {kept.program}"
