"""The supply current by what a device does."""

import numpy as np
import pytest

from firmware_sim.bench.parts.current import DIES, DOINGS, DRAWS, IN_SESSION, SupplyMeter
from firmware_sim.bench.parts.light import Glow
from firmware_sim.bench.trace import Floats
from firmware_sim.device.profile import Kind
from firmware_sim.device.states import Lifecycle
from firmware_sim.errors import UsageError
from tests.bench.parts.bench_models import CAMERA, RECORDER, T0

DRAW = DRAWS[Kind.CAMERA]


def meter(*shown: tuple[int, str, str], wired: bool = False) -> SupplyMeter:
    meter = SupplyMeter(RECORDER if wired else CAMERA, 1)
    meter.powered(T0, on=True)
    for since_ms, lifecycle, session in shown:
        meter.shown(lifecycle, session, T0 + since_ms)
    return meter


def drawn(meter: SupplyMeter, start_ms: int, end_ms: int, *glows: Glow) -> Floats:
    return meter.sample(glows, T0 + start_ms, T0 + end_ms, 1000).milliamps


def test_every_kind_and_every_state_is_known() -> None:
    assert set(DRAWS) == set(Kind)
    assert set(DOINGS) == {state.name for state in Lifecycle} - {"OFF"}


def test_nothing_without_supply() -> None:
    one = meter((0, "BOOTING", "DOWN"))
    one.powered(T0 + 100, on=False)
    one.shown("OFF", "DOWN", T0 + 100)
    assert drawn(one, -50, 0).max() == 0
    assert drawn(one, 100, 500, Glow(T0 + 100, T0 + 500, "red")).max() == 0
    assert drawn(one, 50, 100).min() > 100


def test_it_begins_with_an_inrush() -> None:
    current = drawn(meter((0, "BOOTING", "DOWN")), 0, 500)
    assert current[0] > DRAW.inrush_ma
    assert (np.diff(current[:5]) < 0).all()
    assert current[100:].mean() == pytest.approx(DRAW.boot_ma + 0.1 * DRAW.flash_ma, rel=0.05)


def test_an_inrush_is_cut_off_with_the_supply() -> None:
    one = SupplyMeter(CAMERA, 1)
    one.powered(T0, on=True)
    one.powered(T0 + 2, on=False)
    current = drawn(one, 0, 10)
    assert current[1] > DRAW.inrush_ma / 2
    assert current[2:].max() == 0


def test_a_lens_that_looks_takes_more() -> None:
    waiting = drawn(meter((0, "BOOTING", "DOWN"), (1000, "WAITING", "DOWN")), 1500, 2500).mean()
    failed = drawn(meter((0, "BOOTING", "DOWN"), (1000, "FAILED", "DOWN")), 1500, 2500).mean()
    assert waiting - failed == pytest.approx(DRAW.lens_ma, abs=1)
    wired = meter((1000, "WAITING", "DOWN"), wired=True)
    assert drawn(wired, 1500, 2500).mean() == pytest.approx(DRAWS[Kind.NVR].idle_ma, abs=2)


def test_the_radio_comes_in_bursts() -> None:
    joining = drawn(meter((0, "JOINING", "DOWN")), 1000, 11_000)
    quiet = joining < DRAW.idle_ma + DRAW.radio_ma / 2
    assert joining[~quiet].mean() - joining[quiet].mean() == pytest.approx(DRAW.radio_ma, abs=2)
    assert 0.6 < (~quiet).mean() < 0.8
    away = drawn(meter((0, "ONLINE", "CONNECTING")), 1000, 11_000)
    online = drawn(meter((0, "ONLINE", "UP")), 1000, 11_000)
    assert online.mean() < away.mean()
    assert online.mean() == pytest.approx(
        DRAW.idle_ma + DRAW.link_ma + IN_SESSION.radio * DRAW.radio_ma, rel=0.03
    )


def test_erasing_pulses() -> None:
    erasing = drawn(meter((0, "RESETTING", "DOWN")), 1000, 3000)
    assert erasing.mean() == pytest.approx(DRAW.idle_ma + 0.8 * DRAW.flash_ma, rel=0.03)


@pytest.mark.parametrize(("colour", "dies"), [("", 0), ("red", 1), ("amber", 2), ("white", 1)])
def test_a_light_adds_what_its_dies_take(colour: str, dies: int) -> None:
    one = meter((0, "FAILED", "DOWN"))
    more = drawn(one, 1000, 2000, Glow(T0 + 1000, T0 + 2000, colour)) - drawn(one, 1000, 2000)
    assert DIES.get(colour, 1) == dies
    assert more.mean() == pytest.approx(dies * DRAW.die_ma, abs=0.01)


def test_the_same_state_again_changes_nothing() -> None:
    one, other = meter((0, "WAITING", "DOWN")), meter((0, "WAITING", "DOWN"))
    other.shown("WAITING", "LISTENING", T0 + 500)
    assert drawn(one, 0, 1000).tolist() == drawn(other, 0, 1000).tolist()


def test_a_window_backwards_is_refused() -> None:
    with pytest.raises(UsageError):
        drawn(meter(), 10, 0)
