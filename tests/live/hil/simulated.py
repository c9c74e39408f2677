"""A bench for tests: `fleet bench` as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def bench(folder: Path, profile: str, *words: str, rate: float = 10) -> Iterator[Path]:
    """Run one device; give the path of its env file."""
    env = folder / "env.yaml"
    command = [sys.executable, "-m", "fleet", "bench", profile, "--env-out", str(env)]
    command += ["--seed", str(os.getpid())]  # benches on one machine hear each other
    command += ["--rate", str(rate), "--port", "0", "--serial-dir", str(folder / "serial"), *words]
    with (folder / "bench.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            while not env.exists() or "Driver" not in env.read_text():
                assert process.poll() is None, (folder / "bench.log").read_text()
                time.sleep(0.05)
            yield env
        finally:
            process.terminate()
            process.wait(20)
