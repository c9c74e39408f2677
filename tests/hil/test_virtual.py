"""The bench in virtual time: stories of a camera and of a recorder, as a test script tells them.

Nothing here but the first lines knows that the bench is a virtual one.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.bench.capabilities import Bench, Light, Missing, NotSeen
from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.hil.device_model import Model
from fleet.hil.virtual import VirtualBench, open_bench

CAMERA, RECORDER = Model("ipc-new"), Model("nvr")
TOKEN = "EU1234567890AB"


@pytest.fixture
def camera() -> Iterator[VirtualBench]:
    with open_bench("ipc-new") as bench:
        yield bench


@pytest.fixture
def recorder() -> Iterator[VirtualBench]:
    with open_bench("nvr") as bench:
        yield bench


def reset(bench: Bench, model: Model) -> None:
    """Switch it on as it came back, and reset it by its button."""
    bench.power.on()
    bench.led.wait_for_light(model.light("online" if model.wired else "reconnecting"))
    bench.button.press_for(model.hold_s)
    bench.led.wait_for_light(model.light("waiting"))
    if not model.wired:
        bench.ear.wait_for(
            1
        )  # it plays one tone after its reset, this one when it waits for a code


def told(bench: VirtualBench) -> str:
    return "\n".join(happening.text for happening in bench.happenings())


def test_it_has_all_capabilities_and_no_power(camera: VirtualBench) -> None:
    bench: Bench = camera

    assert not bench.power.get()
    assert bench.clock.now_s() == 0.0
    assert bench.clock.rate == float("inf")
    assert bench.led.read().mode == "off"


def test_a_camera_from_somewhere_else_starts_and_looks_for_its_network(
    camera: VirtualBench,
) -> None:
    camera.power.on()
    assert camera.led.read(1.5).colours == ("red",)
    camera.led.wait_for("green", "blink", hz=1 / 3)

    assert camera.power.get()


def test_a_recorder_is_online_by_its_cable(recorder: VirtualBench) -> None:
    recorder.power.on()
    recorder.led.wait_for_light(RECORDER.light("booting"))
    recorder.led.wait_for_light(RECORDER.light("online"))
    recorder.link.down()
    recorder.led.wait_for_light(RECORDER.light("reconnecting"))
    recorder.link.up()
    recorder.led.wait_for_light(RECORDER.light("online"))


def test_a_camera_is_reset_unbound_and_paired_by_code(camera: VirtualBench) -> None:
    reset(camera, CAMERA)

    camera.camera.show(camera.phone.unbinding_code().text)
    camera.ear.wait_for(2)
    camera.camera.hide()
    camera.led.wait_for_light(CAMERA.light("unbound"))
    camera.ear.wait_for(1)

    camera.camera.show(camera.phone.pairing_code().text)
    camera.ear.wait_for(2)
    camera.camera.hide()
    camera.led.wait_for_light(CAMERA.light("online"))


def test_a_recorder_is_reset_unbound_and_paired_by_wire(recorder: VirtualBench) -> None:
    reset(recorder, RECORDER)
    recorder.phone.unbind_by_wire()
    recorder.led.wait_for_light(RECORDER.light("unbound"))
    recorder.phone.pair_by_wire()
    recorder.led.wait_for_light(RECORDER.light("online"))


def test_a_camera_out_of_reach_comes_back(camera: VirtualBench) -> None:
    reset(camera, CAMERA)
    camera.camera.show(camera.phone.unbinding_code().text)
    camera.ear.wait_for(2)
    camera.camera.hide()
    camera.led.wait_for_light(CAMERA.light("unbound"))
    camera.camera.show(camera.phone.pairing_code().text)
    camera.led.wait_for_light(CAMERA.light("online"))

    camera.link.down()
    camera.link.down()
    camera.led.wait_for_light(CAMERA.light("reconnecting"))
    camera.link.up()
    camera.led.wait_for_light(CAMERA.light("online"), timeout_s=60)


def test_a_power_cut_in_the_middle_costs_nothing_but_time(camera: VirtualBench) -> None:
    reset(camera, CAMERA)
    camera.camera.show(camera.phone.unbinding_code().text)
    camera.ear.wait_for(2)
    camera.power.cycle()
    camera.ear.wait_for(1)
    camera.ear.wait_for(2)  # it reads the code anew
    camera.camera.hide()
    camera.led.wait_for_light(CAMERA.light("unbound"))


def test_a_mistyped_password_fails_and_can_be_made_good(camera: VirtualBench) -> None:
    reset(camera, CAMERA)
    camera.camera.show(camera.phone.unbinding_code(wifi_password="mistyped").text)
    camera.ear.wait_for(2)
    camera.camera.hide()
    camera.led.wait_for_light(CAMERA.light("join_failed"))
    camera.led.wait_for_light(CAMERA.light("waiting"))

    assert "the password of the Wi-Fi is wrong" in told(camera)
    camera.ear.wait_for(1)
    camera.camera.show(camera.phone.unbinding_code().text)
    camera.ear.wait_for(2)
    camera.camera.hide()
    camera.led.wait_for_light(CAMERA.light("unbound"))


def test_a_button_let_go_too_early_does_nothing(camera: VirtualBench) -> None:
    camera.power.on()
    camera.led.wait_for_light(CAMERA.light("reconnecting"))
    camera.button.press_for(CAMERA.hold_s - 0.5)

    with pytest.raises(NotSeen):
        camera.led.wait_for_light(CAMERA.light("waiting"), timeout_s=6)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b'{"s":"x","p":"y"', "JSON"),
        (b'{"s":"x","p":"y"}', "required field"),
        (b'{"s":"x","p":"y","t":"short"}', "a token has 14"),
        (b'{"s":"\xff","p":"y","t":"EU1234567890AB"}', "UTF-8"),
        (bytes(range(256)) * 5, "1280 bytes"),
    ],
    ids=["half of it", "no token", "short token", "no text", "long"],
)
def test_a_code_of_somebody_else_is_ignored_and_the_operator_sees_why(
    camera: VirtualBench, payload: bytes, why: str
) -> None:
    reset(camera, CAMERA)

    camera.camera.show(qr.picture(payload, "png"))
    camera.clock.sleep(8)

    camera.led.wait_for_light(CAMERA.light("waiting"))
    assert "It ignored a QR code" in told(camera)
    assert why in told(camera)


def test_what_is_no_picture_is_refused_at_once(camera: VirtualBench, tmp_path: Path) -> None:
    picture = qr.picture(b"a code", "png")
    path = tmp_path / "half.png"
    path.write_bytes(picture[: len(picture) // 2])

    with pytest.raises(UsageError, match="not a picture"):
        camera.camera.show(b"not a picture")
    with pytest.raises(UsageError, match=r"half\.png: .*damaged"):
        camera.camera.show(path)
    with pytest.raises(UsageError, match="must be 1 to"):
        camera.camera.show("x" * 3000)
    with pytest.raises(UsageError, match="half a character"):
        camera.camera.show("\ud800")


def test_a_token_that_nobody_gave_out_is_refused_by_the_cloud(camera: VirtualBench) -> None:
    reset(camera, CAMERA)
    code = camera.phone.unbinding_code().text
    token = code[code.index('"t":"') + 5 :][:14]

    camera.camera.show(code.replace(token, token[:4] + "zzzzzz" + token[10:]))
    camera.ear.wait_for(2)
    camera.camera.hide()

    camera.led.wait_for_light(CAMERA.light("activation_failed"))
    assert "The cloud refused to activate it" in told(camera)
    assert token not in told(camera)


def test_the_console_prints_the_boot_and_answers_commands(recorder: VirtualBench) -> None:
    recorder.power.on()
    recorder.console.expect(r"firmware \d+\.\d+")
    recorder.console.expect("cloud: up")

    recorder.console.sendline("status")
    recorder.console.expect(r"state\s+online")
    recorder.console.sendline("\x00\x1b[A\ud800 garbage")
    recorder.console.expect("command not found")
    recorder.console.sendline("reboot")
    recorder.console.expect("rebooting.*cloud: up")
    recorder.console.sendline("factory-reset")
    recorder.console.expect("booting -> waiting", timeout_s=15)

    recorder.led.wait_for_light(RECORDER.light("waiting"))


def test_a_console_without_power_is_silent(recorder: VirtualBench) -> None:
    recorder.console.sendline("status")
    with pytest.raises(NotSeen, match="there is nothing"):
        recorder.console.expect(".", timeout_s=3)


def test_the_supply_tells_off_from_boot_from_idle(recorder: VirtualBench) -> None:
    off = recorder.supply.sample(1)
    recorder.power.on()
    boot = recorder.supply.sample(1)
    recorder.led.wait_for_light(RECORDER.light("online"))
    idle = recorder.supply.sample(2)

    assert np.all(off.milliamps == 0)
    assert boot.milliamps.mean() > 1.2 * idle.milliamps.mean() > 100
    assert len(idle.times_s) == len(idle.milliamps) == 200


def test_what_a_device_has_not_is_missing(camera: VirtualBench, recorder: VirtualBench) -> None:
    with pytest.raises(Missing, match="no lens"):
        _ = recorder.camera
    with pytest.raises(Missing, match="no socket"):
        camera.phone.unbind_by_wire()


def test_what_is_not_seen_is_said_with_its_trace(camera: VirtualBench) -> None:
    with pytest.raises(NotSeen) as caught:
        camera.led.wait_for("red", "blink", hz=2, timeout_s=5)

    assert camera.clock.now_s() == pytest.approx(5.0, abs=0.5)
    assert caught.value.trace.span_s > 1  # type: ignore[attr-defined]

    with pytest.raises(NotSeen, match="tone 2 was not played within 1 s; heard: none"):
        camera.ear.wait_for(2, timeout_s=1)


def test_the_same_seed_is_the_same_trace() -> None:
    def trace(seed: int) -> bytes:
        with open_bench("ipc-new", seed) as bench:
            bench.power.on()
            return bench.led.sample(10).rgb.tobytes() + bench.supply.sample(1).milliamps.tobytes()

    assert trace(1) == trace(1)
    assert trace(1) != trace(2)


def test_nothing_sleeps(camera: VirtualBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_: float) -> None:
        pytest.fail("somebody sleeps in real time")

    monkeypatch.setattr(time, "sleep", sleep)

    camera.power.on()
    camera.clock.sleep(3600)

    assert camera.clock.now_s() == 3600.0


def test_coroutines_are_told_to_go_elsewhere() -> None:
    async def test() -> None:
        with pytest.raises(UsageError, match="no coroutine"), open_bench("nvr"):
            pass

    asyncio.run(test())


def test_a_light_that_there_is_not_is_no_wish(camera: VirtualBench) -> None:
    with pytest.raises(UsageError):
        camera.led.wait_for_light(Light("blink", ("mauve",), 1.0, 0.5))
