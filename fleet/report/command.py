"""`fleet run` and `fleet report`: play, write, compare, print, and say by a code how it went."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from fleet.report.comparison import compare
from fleet.report.comparison_shown import as_page, for_terminal
from fleet.report.environment import look_round
from fleet.report.files import prepare, read_report, write_report, write_views
from fleet.report.making import make_report
from fleet.report.model import Report
from fleet.report.table import render
from fleet.run.attendance import Attendance, nobody
from fleet.run.command import INTERRUPTED, perform
from fleet.run.files import write_atomically
from fleet.run.result import RunResult
from fleet.run.scenario import BUILT_IN
from fleet.run.virtual.command import perform_virtual
from fleet.run.virtual.sights import MODEL

PASSED, FAILED, BY_SIGNAL = 0, 1, 130


def run_scenario(
    scenario: str = BUILT_IN,
    *,
    devices: int | None = None,
    seed: int = 1,
    decoder: str = "pyzbar",
    report_dir: Path | None = None,
    shards: int | None = None,
    data_dir: Path | None = None,
    lan: str = "",
    pcap: Path | None = None,
    tls: bool = False,
    device_https_port: int | None = None,
    broker: str = "",
    outage_s: float | None = None,
    benches: Sequence[Path] = (),
    attendance: Attendance = nobody,
    console: Console | None = None,
) -> int:
    """Run a scenario and return the exit code: 0 passed, 1 not, 130 interrupted.

    `scenario` is a built-in name or the path of a file; None stands for the scenario's or the
    machine's choice; without `report_dir` no file is written, without `data_dir` data lives in a
    temporary folder. `lan` names the LAN to run in, see `perform`; what is said on it is written to
    `pcap`; `tls`, `device_https_port`, `broker`, `outage_s`, `benches` and `attendance` as in
    `perform`. Raises UsageError when the run cannot start or the report not be written.
    """
    console = console or Console(highlight=False, markup=False, emoji=False)
    if report_dir is not None:
        prepare(report_dir)
    result = perform(
        scenario,
        devices=devices,
        seed=seed,
        decoder=decoder,
        shards=shards,
        data_dir=data_dir,
        lan=lan,
        pcap=pcap,
        tls=tls,
        device_https_port=device_https_port,
        broker=broker,
        outage_s=outage_s,
        benches=benches,
        attendance=attendance,
        console=console,
    )
    return _conclude(result, report_dir, console)


def run_virtually(
    scenario: str = BUILT_IN,
    *,
    devices: int | None = None,
    seed: int = 1,
    lens: str = MODEL,
    decoder: str = "pyzbar",
    report_dir: Path | None = None,
    outage_s: float | None = None,
    console: Console | None = None,
) -> int:
    """Run a scenario in virtual time, as `run_scenario` does it live; `lens` as in `perform_virtual`."""
    console = console or Console(highlight=False, markup=False, emoji=False)
    if report_dir is not None:
        prepare(report_dir)
    result = perform_virtual(
        scenario,
        devices=devices,
        seed=seed,
        lens=lens,
        decoder=decoder,
        outage_s=outage_s,
        console=console,
    )
    return _conclude(result, report_dir, console)


def _conclude(result: RunResult, report_dir: Path | None, console: Console) -> int:
    """Write and print the report; return the exit code."""
    report = make_report(result, look_round())
    with _tables_last(report, console) as written:
        if report_dir is not None:
            written(write_report(report, report_dir))
            write_views(report, report_dir, written)
    if result.aborted == INTERRUPTED:
        return BY_SIGNAL
    return PASSED if report.passed else FAILED


@contextmanager
def _tables_last(report: Report, console: Console) -> Iterator[Callable[[Path], None]]:
    """Give what says that a file was written; print the tables when the block ends, however it does.

    A disk that is full must not cost anybody the results of a long run.
    """
    try:
        yield lambda path: console.print(f"report: {path}", soft_wrap=True)
    finally:
        console.print(render(report), soft_wrap=True)


def show_again(place: Path, console: Console) -> int:
    """Print a report, and write what is made of it once more, beside it; return the exit code.

    Raises UsageError for what is no report, or when nothing can be written there.
    """
    report = read_report(place)
    folder = place if place.is_dir() else place.parent
    with _tables_last(report, console) as written:
        write_views(report, folder, written)
    return PASSED if report.passed else FAILED


def show_difference(
    before: Path,
    after: Path,
    console: Console,
    *,
    html: Path | None = None,
    tolerance_pct: float,
    everything: bool = False,
) -> int:
    """Compare two runs, given by folder or file; return FAILED where one has regressed.

    The page goes to `html`. A change counts from `tolerance_pct` on; unless `everything` is wanted,
    other figures are not printed. Raises UsageError for what is no report.
    """
    comparison = compare(read_report(before), read_report(after), tolerance_pct)
    try:
        if html is not None:
            write_atomically(html, as_page(comparison).encode())
            console.print(f"comparison: {html}", soft_wrap=True)
    finally:
        console.print(for_terminal(comparison, everything=everything), soft_wrap=True)
    return FAILED if comparison.regressed else PASSED
