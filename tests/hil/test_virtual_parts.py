"""Hands and instruments by themselves; and the LED reader on every light that a device can show.

The latter is the proof from end to end: the firmware comes to a state, the light does what the
profile says, a colour sensor samples it, and the reader says what it is.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from firmware_sim.bench.capabilities import NotSeen, Reading
from firmware_sim.bench.parts.tones import Tone
from firmware_sim.bench.station import Station
from fleet.hil.device_model import Model
from fleet.hil.virtual_parts import Button, Clock, Ear, Led, Link, Power, Supply
from fleet.hil.virtual_stand import VirtualStand
from fleet.run.virtual.desk.goals import bring, ways_of
from fleet.run.virtual.desk.phones import Phones
from fleet.run.virtual.desk.scene import HOME
from hw_profiles import catalog

LOOK_S: Final = 7.5  # two periods and a half of the slowest light
SETTLE_S: Final = 0.1  # for the sensor, which still sees what was before
STATES: Final = [
    (name, state) for name in catalog.names() for state in ("off", *ways_of(catalog.load(name)))
]


@pytest.fixture
def camera() -> Iterator[VirtualStand]:
    with closing(VirtualStand("ipc-new", 1)) as stand:
        yield stand


@pytest.mark.no_cover
@pytest.mark.parametrize(("profile", "state"), STATES)
def test_every_light_that_a_device_can_show_is_read_as_its_model_says(
    profile: str, state: str
) -> None:
    light = Model(profile).light(state)

    reading = read_in(profile, state)

    assert (reading.mode, sorted(reading.colours)) == (light.mode, sorted(light.colours))
    assert reading.hz == pytest.approx(light.hz, rel=0.05)
    assert reading.duty == pytest.approx(light.duty, abs=0.08)
    assert reading.confidence > 0.5


def read_in(profile: str, state: str) -> Reading:
    """Return what the sensor reads in a state, as if that lasted for long enough to be seen."""
    with closing(VirtualStand(profile, 1)) as stand:
        stand.do(lambda: stand.desk.move(HOME))
        if state != "off":
            stand.station.powered(True, stand.now_ms)  # the hands of `bring` are those of the desk
            phones = stand.do(lambda: Phones(stand.desk))
            stand.let(lambda: bring(stand.desk, phones, state, stand.desk.instruments.clear))
        stand.pass_s(SETTLE_S)
        return Led(stand, Clock(stand)).read(LOOK_S)


def test_the_supply_is_switched_once_and_told_before_the_device(
    camera: VirtualStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    camera.desk.looks.append(lambda shown: order.append(shown.light))

    def powered(_: Station, on: bool, now_ms: int) -> None:
        order.append(f"{on} at {now_ms} ms")

    monkeypatch.setattr(Station, "powered", powered)
    power = Power(camera)

    power.on()
    power.on()
    power.cycle(off_s=0.5)

    assert order == ["True at 0 ms", "booting", "False at 0 ms", "off", "True at 500 ms", "booting"]
    assert power.get()


def test_a_finger_is_taken_away_whatever_happens_meanwhile(camera: VirtualStand) -> None:
    def breaks() -> None:
        raise OSError("something broke")

    camera.desk.agenda.after(1000, breaks)

    with pytest.raises(OSError, match="something broke"):
        Button(camera).press_for(3)
    assert not camera.desk.touch.pressed


def test_out_of_reach_is_the_network_of_the_stand_off_the_air(camera: VirtualStand) -> None:
    link = Link(camera)

    seen = []
    for hand in (link.up, link.down, link.down, link.up):
        hand()
        seen.append(camera.desk.touch.wifi)

    assert seen == [True, False, False, True]


def test_tones_are_kept_up_to_the_one_waited_for(
    camera: VirtualStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = (Tone(100, 1), Tone(200, 2), Tone(5000, 1))

    def tones(_: Station, since_ms: int) -> tuple[Tone, ...]:
        return tuple(one for one in played if since_ms <= one.at_ms <= camera.now_ms)

    monkeypatch.setattr(Station, "tones", tones)
    camera.pass_s(1)
    ear = Ear(camera)

    ear.wait_for(1)
    ear.wait_for(2)
    assert camera.now_s == 1.0
    ear.wait_for(1)
    assert camera.now_s == pytest.approx(5.0, abs=0.05)
    with pytest.raises(NotSeen, match="tone 1 was not played within 2 s; heard: none"):
        ear.wait_for(1, timeout_s=2)


def test_a_window_is_as_long_as_was_asked_for(camera: VirtualStand) -> None:
    assert len(Supply(camera).sample(0.5).times_s) == 50
    assert len(Led(camera, Clock(camera)).sample(0.5).times_s) == 50
    assert camera.now_s == 1.0
