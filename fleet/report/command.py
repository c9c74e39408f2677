"""`fleet run`: plays a scenario, writes the report, prints the tables, says by its code how it went."""

from pathlib import Path

from rich.console import Console

from fleet.report.files import prepare, write_report
from fleet.report.model import make_report
from fleet.report.table import render
from fleet.run.command import INTERRUPTED, perform
from fleet.run.scenario import BUILT_IN

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
    report = make_report(result)
    if report_dir is not None:
        path = write_report(report, report_dir)
        console.print(f"report: {path}", soft_wrap=True)
    console.print(render(report), soft_wrap=True)
    if result.aborted == INTERRUPTED:
        return BY_SIGNAL
    return PASSED if result.passed else FAILED
