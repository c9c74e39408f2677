"""`fleet run`: plays a scenario, writes the report, prints the tables, says by its code how it went."""

from pathlib import Path

from rich.console import Console

from fleet.report.files import prepare, write_report
from fleet.report.model import make_report
from fleet.report.table import render
from fleet.run.command import INTERRUPTED, perform
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
    console: Console | None = None,
) -> int:
    """Run a scenario and return the exit code: 0 passed, 1 not, 130 interrupted.

    `scenario` is a built-in name or the path of a file; None stands for the scenario's or the
    machine's choice; without `report_dir` no file is written, without `data_dir` data lives in a
    temporary folder. `lan` names the LAN to run in, see `perform`; what is said on it is written to
    `pcap`; `tls`, `device_https_port`, `broker` and `outage_s` as in `perform`. Raises UsageError when the
    run cannot start or the report not be written.
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
    report = make_report(result)
    if report_dir is not None:
        path = write_report(report, report_dir)
        console.print(f"report: {path}", soft_wrap=True)
    console.print(render(report), soft_wrap=True)
    if result.aborted == INTERRUPTED:
        return BY_SIGNAL
    return PASSED if result.passed else FAILED
