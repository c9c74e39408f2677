"""Plays a case again before a witness: for the last that happened, or all of it, line by line."""

from collections import deque
from collections.abc import Callable

import msgspec

from firmware_sim.runtime.virtual.trace import Entry
from fleet.run.checks.findings import Violation
from fleet.run.explore.case import Case
from fleet.run.explore.outcome import Finding, Outcome
from fleet.run.explore.trial import Trial
from fleet.run.virtual.story import in_columns, lines
from fleet.run.virtual.telling.cloud_witness import CLOUD
from fleet.run.virtual.telling.witness import Witness

LINES_MAX = 25
FOREVER_S = float("inf")


class Cut(msgspec.Struct, frozen=True):
    """What of a run is to be told: of one device or of all (None), from when to when.

    Without `asides` what repeats for ever, or changes nothing, is left out.
    """

    device: int | None = None
    from_s: float = 0.0
    to_s: float = FOREVER_S
    asides: bool = True


def retell(case: Case, cut: Cut, say: Callable[[str], None]) -> Outcome:
    """Play a case, say each line of it as it comes, and return what it comes to.

    Violations are said at the moment in which they are found, wherever that is.
    """

    def take(entry: Entry) -> None:
        if _concerns(entry, cut.device):
            for at_ms, line in lines((entry,)):
                since_ms = at_ms - trial.start_ms
                wanted = cut.from_s <= since_ms / 1000 <= cut.to_s
                if wanted and (cut.asides or not line.aside):
                    say(in_columns(since_ms, line))

    def violated(violation: Violation) -> None:
        at_s = (violation.at_ms - trial.start_ms) / 1000
        say(
            f"{at_s:9.3f} s  VIOLATED         {violation.invariant}: {violation.who}: "
            f"{violation.what}"
        )

    indices = None if cut.device is None else {cut.device}
    trial = Trial(case, Witness(take, indices), violated)
    return trial.run()


def _concerns(entry: Entry, device: int | None) -> bool:
    """Say whether an entry is about a device, or about what befalls all of them."""
    _, who, number, what = entry
    return device is None or (isinstance(what, str) and who == CLOUD) or number == device


def the_last(case: Case, finding: Finding) -> tuple[list[str], Outcome]:
    """Return the last that happened before a finding, to the device that it is about if to one.

    The outcome is that of the second run, which is the same to the byte, or chance was at work.
    """
    kept: deque[str] = deque(maxlen=LINES_MAX)
    over = False

    def keep(line: str) -> None:
        nonlocal over
        if not over:
            kept.append(line)
        over = over or " VIOLATED " in line

    outcome = retell(case, Cut(concerned(case, finding), asides=False), keep)
    return list(kept), outcome


def concerned(case: Case, finding: Finding) -> int | None:
    """Return the device that a finding names, None if it names none."""
    for unit in case.population().units:
        if unit.uuid in finding.what:
            return unit.index
    return None
