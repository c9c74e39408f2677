"""How cases, findings and scores are said: lines for people, in the words of the scenario's file."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from fleet.run.explore.case import Case, Conditions
from fleet.run.explore.hunt import Score
from fleet.run.explore.marks import ROWS, missing
from fleet.run.explore.outcome import Finding
from fleet.run.faults import FaultTable

OTHERS_SHOWN_MAX = 5
ROWS_SHOWN_MAX = 40
_GAP = "  "


def size(case: Case) -> str:
    """Return how large a case is."""
    scenario = case.scenario
    parts = (
        (case.devices, "device"),
        (len(scenario.products), "product"),
        (len(scenario.operators), "operator"),
        (len(scenario.faults), "fault"),
    )
    return ", ".join(counted(number, what) for number, what in parts)


def counted(number: int, what: str) -> str:
    """Return a number of things: `1 fault`, `2 faults`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def contents(case: Case) -> Iterator[str]:
    """Return what makes a case special: its size, its world, its faults."""
    yield f"{size(case)}, seed {case.seed}"
    quotas, batch_max = case.scenario.quotas, case.scenario.batch_max
    if case.scenario.unbind and min(quotas.account, quotas.product, batch_max) < case.devices:
        yield f"quotas: account {quotas.account}, product {quotas.product}; batch_max {batch_max}"
    odd = _odd(case.conditions, Conditions())
    if odd:
        yield "conditions: " + odd
    for key, options in (("firmware", case.firmware), ("cloud", case.cloud)):
        if options:
            yield f"{key}: " + ", ".join(f"{name} {value}" for name, value in options.items())
    for number, table in enumerate(case.scenario.faults):
        yield f"faults[{number}]: {fault_line(table)}"


def fault_line(table: FaultTable) -> str:
    """Return a table in one line: the keys that say something."""
    usual = FaultTable(table.kind, table.during)
    said = _odd(table, usual)
    return f"{table.kind} during {table.during}" + (f", {said}" if said else "")


def _odd(one: msgspec.Struct, usual: msgspec.Struct) -> str:
    """Return the fields that are not as usual; dice are of no interest to a reader."""
    names = (field.name for field in msgspec.structs.fields(type(one)))
    said = (
        f"{name} {getattr(one, name)}"
        for name in names
        if name != "dice" and getattr(one, name) != getattr(usual, name)
    )
    return ", ".join(said)


def failure(finding: Finding) -> Iterator[str]:
    """Return what is wrong: the first thing, some of the others, and where an exception came from."""
    yield f"{finding.name}: {finding.what}, at {finding.at_s:.3f} s"
    others = [line for line in finding.others if finding.what not in line]
    for line in others[:OTHERS_SHOWN_MAX]:
        yield f"also {line}"
    if len(others) > OTHERS_SHOWN_MAX:
        yield f"and {len(others) - OTHERS_SHOWN_MAX} more"
    yield from finding.trail.rstrip().splitlines()


def indented(lines: Iterator[str] | list[str]) -> Iterator[str]:
    """Return lines that belong to the one before them."""
    for line in lines:
        yield _GAP + line


# --- commands -----------------------------------------------------------------------------------


def replay_seed(scenario: str, case: Case) -> str:
    """Return the command that plays the case of a seed again."""
    return (
        f"fleet replay {shlex.quote(scenario)} --seed {case.seed} --devices {case.devices} "
    ).rstrip()


def replay_file(path: Path) -> str:
    """Return the command that plays the case of a file again."""
    return f"fleet replay {shlex.quote(str(path))}"


# --- scores -------------------------------------------------------------------------------------


def progress(score: Score, seeds: int, elapsed_s: float) -> str:
    """Return how far exploring has got, in one line."""
    rate = score.seeds / elapsed_s if elapsed_s else 0.0
    failed = f", {score.failed.total()} failed" if score.failed else ""
    return (
        f"{score.seeds} of {seeds} seeds ({rate:.1f}/s){failed}, {len(score.marks)} of "
        f"{len(ROWS)} rows; struck: {_counts(score.struck)}"
    )


def summary(score: Score, elapsed_s: float) -> Iterator[str]:
    """Return what exploring has come to: seeds, events, time, faults, and rows never reached.

    After a finding, which is to be read, there are no rows, and never more than can be read.
    """
    yield (
        f"{counted(score.seeds, 'seed')} in {elapsed_s:.0f} s: {counted(score.events, 'event')}, "
        f"{score.virtual_s / 3600:,.1f} h of virtual time"
    )
    yield f"faults struck: {_counts(score.struck)}"
    fired = f"{len(score.marks)} of {len(ROWS)} rows of the firmware's tables have fired"
    if score.failed:
        yield fired
        yield f"failed: {_counts(score.failed)}"
        return
    never = missing(score.marks)
    if not never:
        yield fired
        return
    yield f"{fired}; never:"
    for table, row in never[:ROWS_SHOWN_MAX]:
        yield f"{_GAP}{table:<9} {row}  {row.place}"
    if len(never) > ROWS_SHOWN_MAX:
        yield f"{_GAP}and {len(never) - ROWS_SHOWN_MAX} more; more seeds reach more of them"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())) or "nothing"
