import queue

import pytest

from firmware_sim.bench.capabilities import Missing, Reading
from firmware_sim.errors import SimulatorError
from fleet.run.bridge import stand as module
from fleet.run.bridge.eyes import Sight
from fleet.run.bridge.stand import Stand
from tests.run.bridge.fake import FakeBench

PROFILE = "ipc-red-green"


class Hall:
    """A stand, and what it tells."""

    def __init__(self, bench: FakeBench) -> None:
        self.readings: queue.Queue[Sight] = queue.Queue()
        self.failed: queue.Queue[SimulatorError] = queue.Queue()
        self.stand = Stand(bench.open, 6.0, self.readings.put, self.failed.put)

    def until(self, mode: str, colour: str) -> Reading:
        while True:
            reading = self.readings.get(timeout=20)
            if reading is not None and reading.mode == mode and colour in reading.colours:
                return reading


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench(PROFILE)


def test_it_does_what_is_ordered_and_tells_what_it_sees(bench: FakeBench) -> None:
    hall = Hall(bench)
    hall.stand.start()
    hall.stand.power(lambda: None, on=True)
    bench.wait_for("on")
    bench.light = "waiting"
    reading = hall.until("blink", "red")
    assert reading.hz == pytest.approx(2.0, rel=0.1)
    bench.light = "online"
    assert hall.until("solid", "green").duty == 1.0
    hall.stand.end()
    assert bench.closed
    assert bench.done[-3:] == ["off", "release", "hide"]
    assert hall.failed.empty()


def test_a_slow_light_is_not_taken_for_one_that_stands_still(bench: FakeBench) -> None:
    bench.light = "joining"  # green, 1500 ms on and off
    hall = Hall(bench)
    hall.stand.start()
    first = hall.readings.get(timeout=20)
    hall.stand.end()
    assert first is not None
    assert (first.mode, first.colours) == ("blink", ("green",))


def test_a_part_that_fails_is_told_once(bench: FakeBench) -> None:
    bench.trouble = Missing("no sensor at the light")
    hall = Hall(bench)
    hall.stand.start()
    assert "no sensor" in str(hall.failed.get(timeout=20))
    hall.stand.end()
    assert hall.failed.empty()


def test_whatever_a_driver_raises_is_told(bench: FakeBench) -> None:
    bench.trouble = ZeroDivisionError("of a stranger")
    hall = Hall(bench)
    hall.stand.start()
    assert "ZeroDivisionError: of a stranger" in str(hall.failed.get(timeout=20))
    hall.stand.end()


def test_orders_are_bounded(bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ORDERS_MAX", 2)
    hall = Hall(bench)
    for _ in range(3):
        hall.stand.order(lambda one: one.button.press())
    assert "keep up" in str(hall.failed.get_nowait())


def test_what_was_never_started_ends(bench: FakeBench) -> None:
    Hall(bench).stand.end()
    assert not bench.opened
