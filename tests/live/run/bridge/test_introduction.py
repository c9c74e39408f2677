"""A device on a bench in a run, with the commands that people use: bench, bridge, run."""

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from fleet.report.model import Report
from tests.live.run.support import QUICK

CAMERA = Path(QUICK).parent / "camera.toml"
UUID, PRODUCT = "bench0real01", "benchproduct0001"
KEYS = ["--uuid", UUID, "--product-id", PRODUCT, "--auth-key", "0123456789abcdef" * 2]
SCENARIO = f"""
name = "mixed"
title = "Most are simulated, one is on a bench"
devices = 8
rebind_every = 2
batch_max = 4
patience_s = 20
[warehouse]
ssid = "warehouse"
password = "returns-2024"
join_ms = 50
[home]
join_ms = 50
[[products]]
name = "camera"
profile = "{CAMERA}"
share = 1
[[operators]]
name = "owner@maker"
role = "owner"
share = 1
[[faults]]
kind = "power_cut"
during = "unbind"
for_s = 0.5
within_s = 2
"""


def fleet(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fleet", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def a_bench(folder: Path, cloud: str) -> Iterator[Path]:
    """Run a bench whose device looks for a cloud that is not there yet; yield its env file."""
    env = folder / "env.yaml"
    place = ["--port", "0", "--serial-dir", str(folder / "serial"), "--env-out", str(env)]
    wifi = ["--ssid", "bench", "--wifi-password", "right"]
    bench = fleet("bench", str(CAMERA), "--cloud", cloud, *KEYS, *place, *wifi)
    try:
        assert bench.stdout is not None
        for line in bench.stdout:
            if "Ctrl-C ends it" in line:
                break
        yield env
    finally:
        bench.send_signal(signal.SIGINT)
        bench.communicate(timeout=20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_a_device_on_a_bench_goes_through_a_run_with_simulated_ones(tmp_path: Path) -> None:
    cloud = f"http://127.0.0.1:{free_port()}"
    scenario, member = tmp_path / "mixed.toml", tmp_path / "member.toml"
    scenario.write_text(SCENARIO)
    with a_bench(tmp_path, cloud) as env:
        wifi = ["--ssid", "bench", "--wifi-password", "right"]
        bridge = fleet(
            "bench", "bridge", str(env), *KEYS, "--cloud", cloud, *wifi, "--out", str(member)
        )
        said, _ = bridge.communicate(timeout=60)
        assert (bridge.returncode, f"--bench {member}" in said) == (0, True), said
        folder, data = str(tmp_path / "report"), str(tmp_path / "data")
        run = fleet(
            "run", str(scenario), "--bench", str(member), "--report", folder, "--data", data
        )
        said, _ = run.communicate(timeout=240)
    assert run.returncode == 0, said
    report = msgspec.json.decode(Path(folder, "report.json").read_bytes(), type=Report)
    assert report.violations == ()
    assert (report.outcomes.unbound, report.outcomes.rebound) == (8, 4)
    assert "history_complete" in report.checked
    [product] = [quota for quota in report.quotas if "on a bench" in quota.name]
    assert product.used == 1, "a binding costs no quota, an operator's unbinding does"
    with closing(sqlite3.connect(Path(data, "cloud", "cloud.db"))) as database:
        rows = database.execute(
            "SELECT operation, account, batch <> '' FROM history WHERE uuid = ? AND status = 'ok'"
            " ORDER BY id",
            (UUID,),
        ).fetchall()
    bound, unbound, sold = rows
    assert (bound[0], unbound, sold[0]) == ("bind", ("unbind", "owner@maker", 1), "bind")
