"""`fleet lens bench`: what decoders read of graded pictures, as a table and as JSON."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from firmware_sim.camera.decoder import NAMES
from firmware_sim.camera.graded.crew import measure
from firmware_sim.camera.graded.measure import Tally, Way
from firmware_sim.camera.graded.table import Level, choose, further, graded
from firmware_sim.errors import UsageError

LIMIT_PCT = 90.0
"""What is to be read, with the strategy, of each level within the limits of its axis."""


class Wanted(NamedTuple):
    """What is asked for; no decoder means all, no axes mean all."""

    decoder: str
    frames: int
    axes: tuple[str, ...]
    extra: bool


class Figure(msgspec.Struct, frozen=True):
    """What one decoder made of one level, or of all; what JSON holds."""

    decoder: str
    strategy: bool
    frames: int
    read_pct: float
    wrong: int
    lost: int
    cpu_ms: float
    cpu_ms_max: float


class Row(msgspec.Struct, frozen=True):
    """One level, or all of them together."""

    axis: str
    level: float | None
    unit: str
    within_limit: dict[str, bool]
    figures: list[Figure]


class Result(msgspec.Struct, frozen=True):
    """All that was measured."""

    frames_per_level: int
    rows: list[Row]
    total: Row


def run(wanted: Wanted, path: Path | None, screen: Console) -> int:
    """Measure, print, write; return the exit code: 1 when a wrong text was returned.

    Raises UsageError for an unknown axis, for a decoder that cannot be used here, and when the
    file cannot be written.
    """
    if path is not None and not path.parent.is_dir():  # said before minutes of measuring
        raise UsageError(f"--json {path}: there is no folder {path.parent}")
    levels = choose(further() if wanted.extra else graded(), wanted.axes)
    decoders = (wanted.decoder,) if wanted.decoder else NAMES
    result = _measured(levels, decoders, wanted.frames, screen)
    screen.print(table(result, decoders))
    for line in summary(result, decoders):
        screen.print(line)
    if path is not None:
        _write(path, result)
    return int(any(figure.wrong for figure in result.total.figures))


def _measured(
    levels: tuple[Level, ...], decoders: tuple[str, ...], frames: int, screen: Console
) -> Result:
    ways = [Way(decoder, strategy) for decoder in decoders for strategy in (False, True)]
    rows: dict[int, Row] = {}
    totals = {way: Tally() for way in ways}
    with screen.status("looking at pictures ..") as status:

        def done(level: Level, tallies: dict[Way, Tally]) -> None:
            rows[level.branch] = _row(level, decoders, tallies)
            for way, tally in tallies.items():
                totals[way].add(tally)
            status.update(f"{len(rows)} of {len(levels)} levels")

        measure(levels, ways, frames, os.cpu_count() or 1, done)
    total = Row("all", None, "", {}, [_figure(way, totals[way]) for way in ways])
    return Result(frames, [rows[level.branch] for level in levels], total)


def _row(level: Level, decoders: tuple[str, ...], tallies: dict[Way, Tally]) -> Row:
    within = {decoder: level.value in level.axis.limit(decoder) for decoder in decoders}
    figures = [_figure(way, tally) for way, tally in tallies.items()]
    return Row(level.axis.name, level.value, level.axis.unit, within, figures)


def _figure(way: Way, tally: Tally) -> Figure:
    return Figure(
        decoder=way.decoder,
        strategy=way.strategy,
        frames=tally.frames,
        read_pct=round(tally.read_pct, 1),
        wrong=tally.wrong,
        lost=tally.lost,
        cpu_ms=round(tally.cpu_ms, 2),
        cpu_ms_max=round(tally.cpu_ns_max / 1e6, 2),
    )


def table(result: Result, decoders: tuple[str, ...]) -> Table:
    """Return the rows; a level within the limits that is read too seldom is red."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("axis")
    shown.add_column("level", justify="right")
    for decoder in decoders:
        for head in (f"{decoder} %", "ms", "strategy %", "ms"):
            shown.add_column(head, justify="right")
    last = ""
    for row in [*result.rows, result.total]:
        level = "" if row.level is None else f"{row.level:g} {row.unit}".strip()
        shown.add_row("" if row.axis == last else row.axis, level, *_cells(row))
        last = row.axis
    return shown


def _cells(row: Row) -> Iterator[Text]:
    for figure in row.figures:
        missed = figure.strategy and too_seldom(row, figure)
        yield Text(f"{figure.read_pct:.0f}", style="red" if missed else "")
        yield Text(f"{figure.cpu_ms:.1f}", style="dim")


def too_seldom(row: Row, figure: Figure) -> bool:
    """Tell whether a level that has to be read is not."""
    return row.within_limit.get(figure.decoder, False) and figure.read_pct < LIMIT_PCT


def summary(result: Result, decoders: tuple[str, ...]) -> Iterator[str]:
    """Yield a line for each decoder and way, and the levels that are read too seldom."""
    for figure in result.total.figures:
        yield (
            f"{figure.decoder}, {'strategy' if figure.strategy else 'plain'}: "
            f"{figure.read_pct:.1f} % of {figure.frames:,} frames, {figure.wrong} wrong, "
            f"{figure.lost} lost, {figure.cpu_ms:.1f} ms of CPU per frame, "
            f"at most {figure.cpu_ms_max:.0f}"
        )
    for decoder in decoders:
        missed = [
            f"{row.axis} {row.level:g}"
            for row in result.rows
            for figure in row.figures
            if figure.decoder == decoder and figure.strategy and too_seldom(row, figure)
        ]
        if missed:
            yield f"{decoder}: below {LIMIT_PCT:g} % within the limits: {', '.join(missed)}"


def _write(path: Path, result: Result) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from None
