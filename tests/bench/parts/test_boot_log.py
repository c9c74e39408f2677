"""What a device prints while it starts."""

import pytest

from firmware_sim.bench.parts import boot_log
from tests.bench.parts.bench_models import MODELS


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_boot_is_told_in_order_and_in_time(name: str) -> None:
    profile = MODELS[name]
    log = boot_log.lines(profile, "9.8.7")
    times = [since_ms for since_ms, _ in log]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] < profile.timings.boot_ms
    text = "\n".join(line for _, line in log)
    assert "firmware 9.8.7" in text
    assert profile.title in text
    assert ("wlan0" in text) != profile.wired
    assert ("sensor ready" in text) != profile.wired


def test_stamps_begin_with_the_kernel() -> None:
    log = [line for _, line in boot_log.lines(MODELS["ipc-new"], "1.0.0")]
    first = next(i for i, line in enumerate(log) if line.startswith("["))
    assert log[first - 1] == "Starting kernel ..."
    assert all(line.startswith("[") for line in log[first:])
