"""What a device costs in a live run, by how it is unbound: `python tools/bench_run.py`.

Three fleets, each of one kind: cameras that read QR codes with pyzbar, the same with zxing-cpp,
and wired recorders. Each goes through a whole run (home, return, reset, unbinding; nobody is sold
again and nothing goes wrong). A small fleet first shows what the processes cost without devices;
that is taken off. CPU time, not wall time; nothing is asserted: a figure without its machine
means little.
"""

import argparse
import platform
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fleet.run.command import perform
from fleet.run.result import RunResult

SMALL = 10
MEBIBYTE = 1 << 20
CASES = (
    ("QR, pyzbar", "ipc-red-green", "pyzbar"),
    ("QR, zxing-cpp", "ipc-red-green", "zxing"),
    ("wired", "nvr", "zxing"),
)
SCENARIO = """
name = "bench"
title = "One kind of device, unbound without trouble"
devices = {devices}
warehouse = {{ ssid = "Warehouse", password = "no-secret-at-all" }}
quotas = {{ account = 1000000, product = 1000000 }}
products = [{{ name = "device", profile = "{profile}", share = 1 }}]
operators = [
  {{ name = "owner@maker", role = "owner", share = 1 }},
  {{ name = "repair@partner", role = "partner", share = 1 }},
  {{ name = "after-sale@maker", role = "after_sale", share = 1 }},
]
"""


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    arguments.add_argument("--devices", type=int, default=1000, help="devices of the large fleet")
    devices = arguments.parse_args().devices
    console = Console(highlight=False)
    table = Table(title=f"{devices} devices less {SMALL}, {platform.machine()}", box=None)
    columns = ("", "CPU ms per device", "devices", "cloud", "runner", "RSS KiB per device", "MiB")
    for column in columns:
        table.add_column(column, justify="left" if not column else "right")
    for title, profile, decoder in CASES:
        console.print(f"{title} ...")
        small, large = (run(profile, decoder, size) for size in (SMALL, devices))
        table.add_row(title, *figures(small, large))
    console.print(table)


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description as they are written."""


def run(profile: str, decoder: str, devices: int) -> RunResult:
    """Play the scenario without showing anything."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bench.toml"
        path.write_text(SCENARIO.format(devices=devices, profile=profile), encoding="utf-8")
        result = perform(str(path), decoder=decoder, console=Console(quiet=True))
    if not result.passed:
        raise SystemExit(f"the run failed: {[*result.violations, *result.unmet, result.aborted]}")
    return result


def figures(small: RunResult, large: RunResult) -> list[str]:
    """Return the columns of one row."""
    more = large.devices - small.devices

    def cpu_ms(*names: str) -> str:
        spent_s = sum(large.cpu_s[name] - small.cpu_s[name] for name in names)
        return f"{1000 * spent_s / more:.1f}"

    rss_kib = (large.peak_rss_bytes - small.peak_rss_bytes) / 1024 / more
    return [
        cpu_ms("shards", "cloud", "runner"),
        cpu_ms("shards"),
        cpu_ms("cloud"),
        cpu_ms("runner"),
        f"{rss_kib:.0f}",
        f"{large.peak_rss_bytes / MEBIBYTE:.0f}",
    ]


if __name__ == "__main__":
    main()
