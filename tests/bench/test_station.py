"""The instruments around one device, told what a real device shows."""

import numpy as np
import pytest

from firmware_sim import events as ev
from firmware_sim.bench.parts.happenings import NOT_LOOKING
from firmware_sim.bench.parts.tones import Tone
from firmware_sim.bench.station import TONES_MAX, Station
from firmware_sim.device.device import Device
from firmware_sim.effects import Noted, SoundTone, StateShown
from tests.bench.parts.bench_models import CAMERA, IDENTITY, MODELS, T0, boot_ms, started, state

DARK = (0.0, 0.0, 0.0)


class Bench:
    """A device and its station, and the little world between them."""

    def __init__(self) -> None:
        self.station = Station(CAMERA, IDENTITY, 7)
        self.device = Device(CAMERA, IDENTITY, 7, ("192.0.2.1", 443))
        self.now_ms = T0

    def tell(self, event: ev.Event) -> None:
        for effect in self.device.handle(event, self.now_ms):
            if isinstance(effect, StateShown | Noted):
                self.station.observed(effect, self.now_ms)
            elif isinstance(effect, SoundTone):
                self.station.observed(Noted("tone", str(effect.tone)), self.now_ms)

    def power(self, on: bool) -> None:
        self.station.powered(on, self.now_ms)
        self.tell(ev.PowerApplied() if on else ev.PowerRemoved())

    def wait(self, duration_ms: int) -> None:
        end_ms = self.now_ms + duration_ms
        while (due_ms := self.device.next_deadline_ms()) is not None and due_ms <= end_ms:
            self.now_ms = due_ms
            self.tell(ev.DeadlineReached())
        self.now_ms = end_ms


def test_a_life_as_the_instruments_see_it() -> None:
    bench = Bench()
    bench.power(True)
    bench.wait(3000)
    bench.tell(ev.FrameDecoded(b"not for you"))
    bench.tell(ev.FrameDecoded(b'{"s":"home","p":"secret-wifi","t":"AYabcdefghzzzz"}'))
    bench.wait(1000)
    bench.tell(ev.WifiRefused(ev.JoinRefusal.WRONG_PASSWORD))
    bench.wait(500)
    bench.power(False)
    bench.wait(500)
    station = bench.station
    told = [(each.at_ms - T0, each.text) for each in station.happenings(T0)]
    assert [at_ms for at_ms, _ in told] == [0, 0, 2000, 3000, 3000, 4000, 4000, 4500]
    assert told[0][1] == "The supply comes on."
    assert "not one of the app's" in told[3][1]
    assert told[5][1].endswith("the password of the Wi-Fi is wrong.")
    assert told[-1][1] == "The supply goes off."
    assert station.tones(T0) == (Tone(T0 + 2000, 1), Tone(T0 + 3000, 2))
    console = station.uart.due(bench.now_ms).decode("ascii")
    assert "W/join_refused: wifi_password" in console
    assert "secret-wifi" not in console + repr(told)
    current = station.current(T0 - 100, bench.now_ms, 100).milliamps
    assert current[:10].max() == current[-50:].max() == 0
    assert current[10:-50].min() > 100


def test_the_light_is_seen_with_its_rhythm() -> None:
    station = started()  # waits: red 250/250
    start_ms = T0 + boot_ms()
    trace = station.led(start_ms, start_ms + 1000, 1000)
    assert trace.rgb.shape == (1000, 3)
    assert trace.times_s[0] == pytest.approx(start_ms / 1000, abs=0.001)
    red = trace.rgb[:, 0]
    assert red[20:240].min() > 0.7
    assert red[270:490].max() < 0.1
    assert red[520:740].min() > 0.7
    assert trace.rgb[:, 2].max() < 0.1


def test_reading_twice_gives_the_same() -> None:
    station = started()
    window = (T0, T0 + 1000, 50.0)
    assert np.array_equal(station.led(*window).rgb, station.led(*window).rgb)
    assert np.array_equal(station.current(*window)[1], station.current(*window)[1])
    assert not np.array_equal(station.led(*window).rgb, started(seed=2).led(*window).rgb)


def test_fibres_end_on_one_light_each() -> None:
    station = started()
    at_ms = T0 + boot_ms() + 100
    assert station.fibre(1, at_ms) == station.fibre(3, at_ms) == DARK
    assert station.fibre(2, at_ms)[0] > 0.8  # red is the second light
    assert station.fibre(2, at_ms + 250) == DARK
    assert started("nvr").fibre(1, T0 + 100)[0] > 0.8


def test_without_supply_it_is_dark_whatever_is_shown() -> None:
    station = started()
    station.powered(False, T0 + 5000)
    station.observed(state("WAITING", "waiting"), T0 + 5000)
    assert station.fibre(2, T0 + 5100) == DARK
    assert station.led(T0 + 5100, T0 + 6000, 100).rgb.max() < 0.1


def test_the_same_switch_twice_is_nothing_new() -> None:
    station = started()
    count = len(station.happenings(0))
    station.powered(True, T0 + 5000)
    assert len(station.happenings(0)) == count
    assert station.uart.up


def test_a_code_before_a_lens_that_does_not_look_is_told() -> None:
    station = started()
    station.code_held(T0 + 3000)
    assert NOT_LOOKING not in [each.text for each in station.happenings(0)]
    station.observed(state("ONLINE", "online", session="UP"), T0 + 4000)
    station.code_held(T0 + 5000)
    station.remark("The picture\nis none.", T0 + 5001)
    assert [each.text for each in station.happenings(T0 + 5000)] == [
        NOT_LOOKING,
        "The picture?is none.",
    ]


def test_tones_are_bounded_and_only_numbers_count() -> None:
    station = started()
    for number in range(TONES_MAX + 10):
        station.observed(Noted("tone", "1"), T0 + number)
    station.observed(Noted("tone", "x"), T0 + 9999)
    assert len(station.tones(0)) == TONES_MAX
    assert station.tones(T0 + TONES_MAX + 9) == (Tone(T0 + TONES_MAX + 9, 1),)


def test_a_tone_is_heard() -> None:
    station = started()
    station.observed(Noted("tone", "1"), T0 + 3000)
    quiet, loud = station.audio(T0, T0 + 1000), station.audio(T0 + 3100, T0 + 4100)
    assert len(quiet) == len(loud) == 44 + 32_000
    assert max(loud[45::2]) > 20


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_a_bench(name: str) -> None:
    station = started(name)
    end_ms = T0 + boot_ms(name) + 1000
    assert station.led(T0, end_ms, 10).rgb.max() > 0.5
    assert station.current(T0 + 100, end_ms, 10).milliamps.min() > 50
    assert station.uart.due(end_ms).endswith(b"# ")
