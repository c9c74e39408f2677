"""Cases that are quick, and players that do what they are told. Top-level functions: they are sent
to other processes by name."""

import os
from collections.abc import Callable

import msgspec

from fleet.run.explore.case import Case
from fleet.run.explore.outcome import Finding, Outcome
from fleet.run.faults import FaultTable
from fleet.run.scenario import Product
from tests.run.fakes import SCENARIO

SMALL = msgspec.structs.replace(SCENARIO, patience_s=20)
DOWN = FaultTable("cloud_down", during="unbind", for_s=2, at_s=4, dice=3)
CUT = FaultTable("power_cut", during="always", for_s=1, every_s=5, share_pct=30, dice=4)
SLOW = FaultTable("slow", during="home", for_s=9.5, latency_ms=1234, dice=5)


def case(*faults: FaultTable, devices: int = 2, seed: int = 1, **changes: object) -> Case:
    """Return a case of a small scenario."""
    return Case(SMALL, devices, seed).replace(faults=faults, **changes)


def outcome(finding: Finding | None = None, **changes: object) -> Outcome:
    """Return what a run could have come to."""
    usual = Outcome(finding, digest="d", events=3, virtual_s=60.0, struck={}, marks=())
    return msgspec.structs.replace(usual, **changes)


def failing(name: str = "planted", what: str = "it is broken") -> Outcome:
    """Return what a run came to that fails."""
    return outcome(Finding(name, what, 1.5))


def fails_if(broken: Callable[[Case], bool]) -> Callable[[Case], Outcome]:
    """Return what plays a case by looking at it."""
    return lambda one: failing() if broken(one) else outcome()


# --- what other processes play ------------------------------------------------------------------


DEADLY, HANGING, BREAKING = 3, 5, 6


def play(one: Case) -> Outcome:
    """Say which process it is, and which seed; some seeds are too much for a process."""
    if one.seed == DEADLY:
        os._exit(41)
    while one.seed == HANGING:
        pass
    if one.seed == BREAKING:
        raise KeyError(one.seed)
    if one.seed % 7 == 0:
        return failing()
    return outcome(events=os.getpid(), digest=str(one.seed))


def one_product(name: str) -> Product:
    """Return a product of that name."""
    return Product(name, "nvr", 1)
