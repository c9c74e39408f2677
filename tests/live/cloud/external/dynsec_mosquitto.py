"""The Mosquitto of the benchmarks, for tests, which are skipped without it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from firmware_sim.errors import UsageError
from tools import dynsec_mosquitto as tool
from tools.dynsec_mosquitto import ADMIN, PASSWORD, DynsecMosquitto

__all__ = ["ADMIN", "PASSWORD", "DynsecMosquitto", "dynsec_mosquitto"]


@contextmanager
def dynsec_mosquitto() -> Iterator[DynsecMosquitto]:
    """Run one, or skip."""
    try:
        tool.plugin()
        tool.program("mosquitto_ctrl")
    except UsageError as error:
        pytest.skip(str(error))
    with tool.dynsec_mosquitto() as broker:
        yield broker
