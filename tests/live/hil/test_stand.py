"""One device in a live world: hands, wishes at the console, and what instruments are told."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.station import Station
from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.device.device import Device, Identity
from firmware_sim.errors import UsageError
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.scaled import ScaledLoop
from firmware_sim.runtime.live.world import LiveWorld
from fleet.hil.premises import population_of
from fleet.hil.stand import Around, Stand
from fleet.lan.addresses import AddressBlock
from fleet.run.population import Network

RATE = 50.0
Work = Callable[[Stand], Awaitable[None]]


def run(profile: str, work: Work) -> None:
    async def main() -> None:
        population = population_of(profile, 1, Network("bench", "bench-wifi"), 1)
        [unit] = population.units
        model = population.profile(unit)
        identity = Identity(unit.uuid, unit.auth_key, unit.product.product_id)
        with AddressBlock() as block:
            world = LiveWorld(
                sites={"bench": AccessPoint({})},
                observer=lambda _, what, now_ms: stand.observed(what, now_ms),
            )
            around = Around(world, world.now_ms(), FrameReader(), None)
            stand = Stand(around, model, unit, block.address(0), Station(model, identity, 1))
            device = Device(model, identity, 1, ("127.0.0.1", 9))
            world.add(device, ip=block.address(0), site="bench")
            try:
                async with asyncio.timeout(2000):
                    await work(stand)
            finally:
                stand.close()
                await world.close()

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(RATE)) as runner:
        runner.run(main())


async def until(stand: Stand, light: str) -> None:
    while stand.about().light != light:
        await asyncio.sleep(0.05)


def started(stand: Stand) -> int:
    return sum(one.text.startswith("It starts") for one in stand.happenings(0))


def test_switching_twice_is_switching_once() -> None:
    async def work(stand: Stand) -> None:
        for _ in range(2):
            stand.switch("power", on=True)
        assert stand.is_on("power")
        await until(stand, "waiting")
        assert started(stand) == 1
        stand.switch("power", on=False)
        assert (stand.about().light, stand.about().powered) == ("off", False)

    run("gateway", work)


def test_a_restart_at_the_console_is_no_cut_of_the_supply() -> None:
    async def work(stand: Stand) -> None:
        stand.switch("power", on=True)
        await until(stand, "waiting")
        wishes = stand.station.uart.wishes
        assert wishes is not None
        wishes.reboot()
        await until(stand, "booting")
        assert stand.is_on("power")
        await until(stand, "waiting")
        assert (await stand.current(0.5, 10)).milliamps.min() > 10
        wishes.reboot()
        stand.switch("power", on=False)  # before it has come to it
        await asyncio.sleep(5)
        assert stand.about().light == "off"

    run("gateway", work)


def test_a_reset_at_the_console_is_a_button_that_is_held() -> None:
    async def work(stand: Stand) -> None:
        stand.switch("power", on=True)
        await until(stand, "waiting")
        wishes = stand.station.uart.wishes
        assert wishes is not None
        wishes.factory_reset()
        await until(stand, "resetting")
        await until(stand, "waiting")
        assert not stand.is_on("button")

    run("gateway", work)


def test_a_window_of_the_light_may_lie_in_the_past_for_a_minute() -> None:
    async def work(stand: Stand) -> None:
        await asyncio.sleep(2)
        trace = await stand.led(1.0, 100, 0.5)
        assert trace.times_s[0] == pytest.approx(0.5, abs=0.02)
        assert trace.times_s[-1] >= 1.9
        with pytest.raises(UsageError, match="from_s"):
            await stand.led(1.0, 100, -100)

    run("gateway", work)


def test_instruments_answer_when_their_time_is_over() -> None:
    async def work(stand: Stand) -> None:
        led, audio = await asyncio.gather(stand.led(2.0, 50, None), stand.audio(1.0))
        assert led.span_s == pytest.approx(2.0, rel=0.1)
        assert audio.startswith(b"RIFF")
        assert stand.tones(0) == []

    run("gateway", work)


def test_what_a_device_has_not_is_missing() -> None:
    async def work(stand: Stand) -> None:
        with pytest.raises(Missing, match="no lens"):
            stand.show_text("x")
        with pytest.raises(Missing, match="no lens"):
            await stand.show_picture(b"x")
        with pytest.raises(Missing, match="somebody else's"):
            await stand.code("pair", None)
        with pytest.raises(Missing, match="somebody else's"):
            await stand.by_wire("pair", 1)

    run("gateway", work)


def test_a_code_before_a_lens_that_does_not_look_is_told() -> None:
    async def work(stand: Stand) -> None:
        stand.switch("power", on=True)
        stand.show_text("while it boots")
        assert stand.shown().shown
        assert any("does not look" in one.text for one in stand.happenings(0))
        with pytest.raises(UsageError, match="QR code of 4000 bytes"):
            stand.show_text("x" * 4000)
        stand.hide()
        assert not stand.shown().shown

    run("ipc-new", work)
