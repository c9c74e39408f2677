"""tinytuya as it comes from its package, with waits that suit a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tinytuya

from firmware_sim.wire.lan_version import LanVersion
from tests.live.lan.home import Unit

TIMEOUT_S = 5.0
PROBED = frozenset([1, *range(2, 31), *range(50, 71), *range(100, 141)])
"""The data points for which tinytuya asks a device that does not answer plain queries."""


@contextmanager
def phone(
    unit: Unit, *, persist: bool = True, key: str = "", timeout_s: float = TIMEOUT_S
) -> Iterator[tinytuya.Device]:
    """Yield a client of one device; unless `persist`, it connects anew for every request."""
    device = tinytuya.Device(
        unit.dev_id,
        unit.ip,
        key or unit.local_key,
        version=float(unit.version),
        persist=persist,
        connection_timeout=timeout_s,
        connection_retry_limit=1,
        connection_retry_delay=0,
    )
    try:
        yield device
    finally:
        device.close()


def dps(answer: Any) -> dict[int, Any]:
    """Return the data points in an answer; fails when it holds none."""
    assert answer is not None, "no answer"
    assert "dps" in answer, answer
    return {int(number): value for number, value in answer["dps"].items()}


def visible(unit: Unit) -> set[int]:
    """Return the data points that tinytuya can get to see."""
    numbers = {point.id for point in unit.model.data_points if point.mode != "wr"}
    return numbers & PROBED if unit.version is LanVersion.V32 else numbers


def code(answer: Any) -> int:
    """Return the number of an error."""
    return int(answer["Err"])
