"""The capabilities above drivers: waiting by the bench's clock, and what was there instead."""

from pathlib import Path
from typing import Any

import pytest

from firmware_sim.bench.capabilities import Light, NotSeen
from firmware_sim.bench.labgrid.bench import make_bench
from firmware_sim.bench.labgrid.clocks import SLACK_S
from firmware_sim.bench.labgrid.parts import Camera
from firmware_sim.bench.labgrid.protocols import FrameProtocol, Heard
from firmware_sim.errors import UsageError
from tests.bench.labgrid.targets import make_target


def bench_of(*names: str) -> tuple[Any, Any]:
    """Return a bench whose time passes fast, and its first driver."""
    target = make_target([{"TestClock": {}}, *({name: {}} for name in names)])
    return make_bench(target), target.drivers[1]


def test_a_cycle_takes_the_time_of_the_bench() -> None:
    bench, power = bench_of("TestPower")
    bench.power.cycle(off_s=100)  # a hundredth of a second
    assert power.done == ["off", "on"]


def test_a_switch_that_cannot_tell_is_as_it_was_left() -> None:
    bench, _ = bench_of("TestPower")
    assert not bench.power.get()
    bench.power.on()
    assert bench.power.get()
    bench.power.off()
    assert not bench.power.get()


def test_a_switch_that_can_tell_is_asked() -> None:
    target = make_target(
        [{"TestOutput": {}}, {"DigitalOutputPowerDriver": {}}],
    )
    target.drivers[0].done.append(True)
    assert make_bench(target).power.get()


def test_a_button_is_released_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_target(
        [
            {"TestOutput": {"name": "finger"}},
            {"FleetButtonDriver": {"bindings": {"output": "finger"}}},
        ]
    )
    bench = make_bench(target)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.clock, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.button.press_for(3)
    assert target.drivers[0].done == [True, False]


# --- console ------------------------------------------------------------------------------------


def test_the_console_returns_the_text_up_to_the_match() -> None:
    bench, console = bench_of("TestConsole")
    console.printed = b"Starting\r\nkernel 5.\xff ready, more"
    assert bench.console.expect("kernel.*ready") == "Starting\r\nkernel 5.\ufffd ready"
    assert console.printed == b", more"
    assert console.done == [pytest.approx(10 / 10_000 + SLACK_S)]


def test_a_text_that_does_not_come_says_what_was_there() -> None:
    bench, console = bench_of("TestConsole")
    console.printed = b"panic"
    with pytest.raises(NotSeen, match=r"'ready' was not printed within 3 s; there is 'panic'"):
        bench.console.expect("ready", timeout_s=3)
    console.printed = b""
    with pytest.raises(NotSeen, match="there is nothing"):
        bench.console.expect("ready", timeout_s=3)


def test_a_pattern_that_is_none() -> None:
    bench, _ = bench_of("TestConsole")
    with pytest.raises(UsageError, match="is no regular expression"):
        bench.console.expect("(")


def test_a_line_is_typed() -> None:
    bench, console = bench_of("TestConsole")
    bench.console.sendline("status")
    assert console.done == ["status"]


# --- light, lens, ear, phone --------------------------------------------------------------------


def test_a_light_is_read_and_waited_for() -> None:
    bench, _ = bench_of("TestLed")
    assert bench.led.read().colours == ("red",)
    assert bench.led.wait_for("red", "solid").mode == "solid"
    red = Light("solid", ("red",), 0.0, 1.0)
    assert bench.led.wait_for_light(red, timeout_s=20).colours == ("red",)


def test_a_light_that_does_not_come_leaves_its_trace() -> None:
    bench, _ = bench_of("TestLed")
    with pytest.raises(NotSeen) as caught:
        bench.led.wait_for("blue", "blink", hz=2, timeout_s=20)
    assert caught.value.trace.rgb[:, 0].max() > 0.8  # type: ignore[attr-defined]


class Lens(FrameProtocol):
    def __init__(self) -> None:
        self.shown: list[bytes | str] = []

    def show(self, picture: bytes | str) -> None:
        self.shown.append(picture)

    def hide(self) -> None:
        self.shown.clear()


def test_a_picture_may_be_a_file(tmp_path: Path) -> None:
    lens = Lens()
    (tmp_path / "code.png").write_bytes(b"\x89PNG...")
    camera = Camera(lens)
    camera.show(tmp_path / "code.png")
    camera.show("text")
    assert lens.shown == [b"\x89PNG...", "text"]
    camera.hide()
    assert lens.shown == []
    with pytest.raises(UsageError, match=r"none\.png: cannot be read \(No such file"):
        camera.show(tmp_path / "none.png")


def test_a_tone_is_heard_once() -> None:
    bench, ear = bench_of("TestEar")
    soon_s = bench.clock.now_s() + 1
    ear.done += [Heard(0.5, 1), Heard(soon_s, 1), Heard(soon_s + 1, 2)]
    bench.ear.wait_for(1)
    bench.ear.wait_for(2)
    with pytest.raises(NotSeen, match="tone 1 was not played within 3 s; heard: none"):
        bench.ear.wait_for(1, timeout_s=3)
    ear.done.append(Heard(soon_s + 50, 2))
    with pytest.raises(NotSeen, match="heard: 2"):
        bench.ear.wait_for(1, timeout_s=3)


def test_phones_say_what_for() -> None:
    bench, phone = bench_of("TestPhone")
    assert bench.phone.unbinding_code().text == "unbind None"
    assert bench.phone.pairing_code(wifi_password="x").text == "pair x"
    bench.phone.unbind_by_wire(5)
    bench.phone.pair_by_wire()
    assert phone.done == [("unbind", 5), ("pair", 30.0)]
