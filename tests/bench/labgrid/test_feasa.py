"""The driver of a LED analyser, at the analyser that a simulated bench has, over a pseudo-terminal."""

import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.labgrid import feasa
from firmware_sim.bench.parts.feasa import Feasa
from firmware_sim.errors import UsageError
from tests.bench.labgrid.targets import make_target

BLINKS = b" ".join(3 * [3 * b"X"] + [5 * b"X"])  # as the instrument answers


def driver(path: str, **values: Any) -> Any:
    target = make_target(
        [{"FleetFeasaLedDriver": values}], [{"RawSerialPort": {"port": path, "speed": 57600}}]
    )
    return target.get_driver("LedProtocol")


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Answer what comes on a line; give the name of its other end."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    over = threading.Event()

    def serve() -> None:
        os.set_blocking(ours, False)
        while not over.wait(0.001):
            try:
                data = os.read(ours, 1000)
            except BlockingIOError:
                data = b""
            out = answer(data)
            if out:
                os.write(ours, out)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        over.set()
        thread.join()
        os.close(ours)
        os.close(theirs)


@contextmanager
def analyser(lights: dict[int, tuple[float, float, float]]) -> Iterator[str]:
    box = Feasa(lambda fibre, _: lights.get(fibre, (0.0, 0.0, 0.0)))

    def now_ms() -> int:
        return time.monotonic_ns() // 1_000_000

    with answering(lambda data: box.feed(data, now_ms()) + box.due(now_ms())) as path:
        yield path


def test_a_lamp_that_is_lit() -> None:
    with analyser({1: (1.0, 0.08, 0.05)}) as path:
        trace = driver(path).sample(0.1)
    assert len(trace.times_s) >= 1
    assert trace.rgb[0] == pytest.approx([1.0, 0.08, 0.05], abs=0.03)


def test_a_lamp_that_is_dark() -> None:
    with analyser({}) as path:
        assert driver(path).sample(0.05).rgb[0].tolist() == [0, 0, 0]


def test_two_fibres_over_two_lamps() -> None:
    with analyser({1: (1.0, 0.0, 0.0), 2: (0.0, 0.0, 1.0)}) as path:
        trace = driver(path, fibres=[1, 2], capture="capture4", dark=9000, full=37000).sample(0.05)
    assert trace.rgb[0, 1] < 0.1
    assert min(trace.rgb[0, 0], trace.rgb[0, 2]) > 0.5


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({b"capture3\r\n": b"SYNTAX ERROR\r\n"}, "does not know 'capture3'"),
        (
            {b"capture3\r\n": b"OK\r\n\x04", b"getrgbi01\r\n": BLINKS + b"\r\n"},
            "X' is no light",
        ),
        ({b"capture3\r\n": b"x" * 300}, "does not know"),
    ],
)
def test_answers_that_make_no_sense(answers: dict[bytes, bytes], problem: str) -> None:
    with (
        answering(lambda data: answers.get(data, b"")) as path,
        pytest.raises(UsageError, match=problem),
    ):
        driver(path).sample(0.05)


def test_an_analyser_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.bench.labgrid.feasa._CAPTURE_S", -0.9)  # with the slack: 0.1
    with (
        answering(lambda _: b"") as path,
        pytest.raises(UsageError, match="does not answer 'capture3'"),
    ):
        driver(path).sample(0.05)


def test_an_analyser_that_is_not_there() -> None:
    with pytest.raises(Missing, match="cannot be reached"):
        driver("/dev/serial/none")


def test_only_fixed_ranges_see_lamps_that_blink() -> None:
    with pytest.raises(ValueError, match="capture"):
        driver("/dev/null", capture="capture")


@pytest.mark.parametrize(
    ("protocol", "name"),
    [("raw", "socket://127.0.0.1:2001"), ("rfc2217", "rfc2217://127.0.0.1:2001?ign_set_control")],
)
def test_the_line_may_be_that_of_a_serial_server(protocol: str, name: str) -> None:
    port = {"host": "127.0.0.1", "port": 2001, "speed": 57600, "protocol": protocol}
    target = make_target([], [{"NetworkSerialPort": port}])
    line = feasa.serial_line(target.resources[0])
    assert (line.port, line.baudrate, line.is_open) == (name, 57600, False)
