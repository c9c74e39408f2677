"""What lies on the ways of a whole live device: to its cloud, to its phones, and in its clock."""

import asyncio

import pytest

from firmware_sim.events import LanOpened
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import Fault
from firmware_sim.runtime.live.impaired import Impaired
from tests.runtime.live.bench import bench
from tests.runtime.live.test_mischief import LONG_MS
from tests.runtime.live.test_mischief import play as on_uvloop
from tests.runtime.live.test_world_lan import IPS, OURS, Bench, play


def test_a_lossy_link_delays_a_session_and_is_healthy_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faults, "RESEND_MS", 5)

    async def scene() -> None:
        async with bench() as both:
            both.power(on=False)
            both.strike(faults.Loss(LONG_MS, 60))
            both.power(on=True)
            await both.online()
            line = both.place.stream.line if both.place.stream is not None else None
            assert isinstance(line, Impaired)
            both.end_faults()
            await both.until(lambda: line._out.idle)
            assert both.session == "UP"

    on_uvloop(scene)


def test_a_wrong_clock_is_the_device_s_own_and_its_timers_are_right() -> None:
    async def scene() -> None:
        async with bench() as both:
            device, connects = both.device, both.world.traffic(0)[1]
            for skew_s in (-7_200, 86_400):
                both.strike(faults.ClockSkew(LONG_MS, skew_s))
                ahead_s = device.now_s - both.world.now_ms() // 1000
                assert abs(ahead_s - skew_s) <= 1
                await asyncio.sleep(1.5)  # the keep-alive is one second
                assert both.session == "UP"
            both.end_faults()
            assert abs(device.now_s - both.world.now_ms() // 1000) <= 1
            await asyncio.sleep(1.5)
            assert (both.session, both.world.traffic(0)[1]) == ("UP", connects)

    on_uvloop(scene)


# --- the LAN ------------------------------------------------------------------------------------

HEARING: dict[tuple[Fault, ...], int] = {
    (): 3,
    (faults.Partition(LONG_MS),): 2,
    (faults.Duplicate(LONG_MS, 100),): 3 + 3,  # asked twice, each answer comes twice
    (faults.Reorder(LONG_MS, 5),): 3,
    (faults.Slow(LONG_MS, 50),): 3,
}


@pytest.mark.parametrize("lying", HEARING)
def test_datagrams_are_gone_double_or_late(lying: tuple[Fault, ...]) -> None:
    async def scene(both: Bench) -> None:
        both.open_lan(0, 1, 2)
        for fault in lying:
            both.world.strike(1, fault)
        heard = await both.ask(OURS[0], answers=HEARING[lying])
        assert set(heard) == ({IPS[0], IPS[2]} if HEARING[lying] == 2 else set(IPS))
        both.world._mischief.close()
        for fault in both.world._places[1].faults:
            assert isinstance(fault, faults.Lasting)
            both.world._mischief._end(both.world._places[1], fault)
        assert await both.ask(OURS[1], answers=3) == sorted(IPS)

    play(scene)


def test_who_is_asked_late_may_listen_no_more() -> None:
    async def scene(both: Bench) -> None:
        both.open_lan(1)
        node = both.nodes[1]
        both.world.strike(1, faults.Reorder(LONG_MS, 50))
        both.world._solicit(OURS[0])
        both.world._drop_everything(both.world._places[1])
        await asyncio.sleep(0.1)
        assert len(node.told) == 1, "the button"

    play(scene)


def test_a_port_that_is_opened_in_a_partition_is_behind_it_too() -> None:
    async def scene(both: Bench) -> None:
        place, node = both.world._places[1], both.nodes[1]
        both.world.strike(1, faults.Partition(LONG_MS))
        both.open_lan(1)
        _, writer = await asyncio.open_connection(IPS[1], 6668)
        await asyncio.sleep(0.05)
        assert LanOpened(1) not in node.told
        both.world._mischief.close()
        both.world._mischief._end(place, faults.Partition(LONG_MS))
        async with asyncio.timeout(10):
            while LanOpened(1) not in node.told:
                await asyncio.sleep(0.002)
        both.world._ways.treat_lan(place)
        assert not both.world._ways._lan, "a healthy LAN has none of that"
        writer.close()

    play(scene)


def test_a_world_that_closes_hangs_up_in_a_partition_too() -> None:
    async def scene(both: Bench) -> None:
        both.open_lan(1)
        reader, writer = await asyncio.open_connection(IPS[1], 6668)
        await asyncio.sleep(0.02)
        both.world.strike(1, faults.Partition(LONG_MS))
        await both.world.close()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    play(scene)
