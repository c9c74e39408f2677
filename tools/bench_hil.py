"""How long the example suite for a bench takes: `python tools/bench_hil.py [PROFILE ..] [--rates ..]`.

The suite of `fleet/hil/example` is run by pytest, in a process of its own: in virtual time, and
through labgrid at one device of `fleet bench`, which is started anew for each row, so that the
device is somebody's as after the sale. "tests" is what pytest says, "process" has the start of
Python and all imports in it, and "CPU" is what the process took of one core (that of the bench not
counted). At rate 1 the device itself takes most of the time: it boots, its button is held, and its
light has to be watched for two periods.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tools.figures import machine

ROOT = Path(__file__).parent.parent
SUITE = ROOT / "fleet" / "hil" / "example"
START_S_MAX = 60.0


class Row(NamedTuple):
    """One run of the suite, in seconds; `outcome` is pytest's last line without its time."""

    tests_s: float
    process_s: float
    cpu_s: float
    outcome: str


def run_suite(*words: str) -> Row:
    """Run the suite once."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, str(SUITE)]
    begun_s, before = time.perf_counter(), os.times()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    process_s, after = time.perf_counter() - begun_s, os.times()
    lines = done.stdout.strip().splitlines() or [done.stderr]
    found = re.search(r"(.*) in ([\d.]+)s", lines[-1])
    if found is None:
        raise SystemExit(done.stdout + done.stderr)
    if done.returncode:
        print(done.stdout)
    cpu_s = sum(after[2:4]) - sum(before[2:4])
    return Row(float(found[2]), process_s, cpu_s, found[1])


@contextmanager
def bench(profile: str, rate: float) -> Iterator[Path]:
    """Run one device behind endpoints; give the path of its env file."""
    with tempfile.TemporaryDirectory() as folder:
        env = Path(folder) / "env.yaml"
        words = [
            "--env-out",
            str(env),
            "--rate",
            f"{rate:g}",
            "--port",
            "0",
            "--serial-dir",
            folder,
        ]
        words += ["--seed", str(os.getpid())]  # benches on one machine hear each other
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet", "bench", profile, *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            end_s = time.monotonic() + START_S_MAX
            while not env.exists() or not env.stat().st_size:
                if process.poll() is not None or time.monotonic() > end_s:
                    raise SystemExit("fleet bench does not start")
                time.sleep(0.05)
            yield env
        finally:
            process.terminate()
            process.wait(START_S_MAX)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", nargs="*", default=["ipc-red-green", "nvr"])
    parser.add_argument("--rates", type=float, nargs="*", default=[10, 1])
    parser.add_argument("--rounds", type=int, default=3, help="of the runs in virtual time")
    asked = parser.parse_args(arguments)
    print(machine("labgrid", "pytest"))
    print(f"\n{'':32}{'tests s':>9}{'process s':>11}{'CPU s':>8}  outcome")
    for profile in asked.profiles:
        for number in range(asked.rounds):
            row = run_suite("--bench-profile", profile)
            show(f"{profile}, virtual, {number + 1}", row)
        for rate in asked.rates:
            with bench(profile, rate) as env:
                show(f"{profile}, endpoints x {rate:g}", run_suite("--lg-env", str(env)))


def show(name: str, row: Row) -> None:
    """Print one line."""
    print(f"{name:32}{row.tests_s:9.1f}{row.process_s:11.1f}{row.cpu_s:8.1f}  {row.outcome}")


if __name__ == "__main__":
    main()
