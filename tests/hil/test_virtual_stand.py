"""The stand: whose time passes when, what is asked for at the console, and the same seed twice."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from fleet.hil.virtual_phone import Phone
from fleet.hil.virtual_stand import VirtualStand


@pytest.fixture
def stand() -> Iterator[VirtualStand]:
    with closing(VirtualStand("ipc-new", 1)) as stand:
        yield stand


def lights_of(stand: VirtualStand) -> list[str]:
    """Return the list in which what the device shows from now on is written down."""
    shown: list[str] = []

    def look(what: StateShown | Noted, _: int) -> None:
        if isinstance(what, StateShown) and what.light not in shown[-1:]:
            shown.append(what.light)

    stand.desk.instruments.append(look)
    return shown


def test_it_is_bound_without_power_and_far_from_home(stand: VirtualStand) -> None:
    shown = lights_of(stand)

    stand.pass_s(10)
    assert shown == []
    stand.power(on=True)
    stand.pass_s(10)

    assert shown == ["booting", "reconnecting"]
    assert stand.now_s == 20.0


def test_a_cable_reaches_the_cloud_from_everywhere() -> None:
    with closing(VirtualStand("nvr", 1)) as stand:
        stand.power(on=True)
        stand.pass_s(10)
        assert stand.desk.last.light == "online"


def test_time_passes_in_calls_only(stand: VirtualStand) -> None:
    stand.pass_s(0)
    assert stand.now_s == 0.0

    stand.pass_s(0.25)
    stand.pass_s(1.5)

    assert stand.now_s == 1.75


def test_however_little_is_asked_for_time_goes_on(stand: VirtualStand) -> None:
    stand.pass_s(1e-12)
    stand.pass_s(0.0014)

    assert stand.now_ms == 3


@pytest.mark.parametrize("after_ms", [0, 1, 2, 429, 1429, 3382])
def test_waiting_ends_to_the_millisecond(stand: VirtualStand, after_ms: int) -> None:
    stand.pass_s(after_ms / 1000)  # a float that is a little too short would wait for ever
    looks: list[int] = []

    assert stand.wait_for(lambda: looks.append(stand.now_ms), 0.12) is None
    assert [at_ms - after_ms for at_ms in looks] == [0, 50, 100, 120]
    assert stand.wait_for(lambda: stand.now_ms >= after_ms + 200 or None, 1) is True
    assert stand.now_ms == after_ms + 220


@pytest.mark.parametrize("duration_s", [-1.0, float("nan"), float("inf")])
def test_no_other_time_passes(stand: VirtualStand, duration_s: float) -> None:
    with pytest.raises(UsageError, match="no time that can pass"):
        stand.pass_s(duration_s)


def test_a_wish_to_reboot_leaves_the_supply_on(stand: VirtualStand) -> None:
    stand.power(on=True)
    stand.pass_s(10)
    shown = lights_of(stand)
    wishes = stand.station.uart.wishes
    assert wishes is not None

    wishes.reboot()
    stand.pass_s(10)

    assert shown == ["off", "booting", "reconnecting"]
    assert stand.desk.touch.powered


def test_a_reboot_without_supply_comes_to_nothing(stand: VirtualStand) -> None:
    stand.power(on=True)
    stand.pass_s(10)
    wishes = stand.station.uart.wishes
    assert wishes is not None

    wishes.reboot()
    stand.power(on=False)
    shown = lights_of(stand)
    stand.pass_s(10)

    assert shown == []


def test_a_wish_for_a_factory_reset_does_what_the_button_does(stand: VirtualStand) -> None:
    stand.power(on=True)
    stand.pass_s(10)
    shown = lights_of(stand)
    wishes = stand.station.uart.wishes
    assert wishes is not None

    wishes.factory_reset()
    stand.pass_s(10)
    stand.do(stand.desk.press)
    stand.pass_s(4)

    assert shown == ["resetting", "booting", "waiting", "resetting", "booting"]


def test_the_same_seed_is_the_same_trace() -> None:
    def digest(seed: int) -> str:
        with closing(VirtualStand("ipc-new", seed)) as stand:
            stand.power(on=True)
            Phone(stand).pairing_code()
            stand.pass_s(60)
            return stand.desk.witness.digest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_it_has_a_loop_of_its_own_and_says_so(stand: VirtualStand) -> None:
    async def test() -> None:
        with pytest.raises(UsageError, match="a test that is no coroutine"):
            VirtualStand("nvr", 1)
        with pytest.raises(UsageError, match="a test that is no coroutine"):
            stand.pass_s(1)

    asyncio.run(test())


def test_an_unknown_model_is_refused_and_leaves_nothing_open() -> None:
    with pytest.raises(UsageError, match="toaster"):
        VirtualStand("toaster", 1)


def test_what_was_taken_down_is_no_bench_any_more() -> None:
    stand = VirtualStand("nvr", 1)
    stand.power(on=True)
    stand.close()

    with pytest.raises(UsageError, match="taken down"):
        stand.pass_s(1)


def test_what_is_refused_has_not_happened(stand: VirtualStand) -> None:
    async def within_a_loop() -> None:
        with pytest.raises(UsageError, match="no coroutine"):
            stand.power(on=True)
        with pytest.raises(UsageError, match="no coroutine"):
            stand.show(b"a code")

    asyncio.run(within_a_loop())
    assert stand.station.happenings(0) == ()
