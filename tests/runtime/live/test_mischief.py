"""Each fault on a live device and its cloud: what both notice, and that it is over afterwards.

No test bets on how fast this machine is: faults that something has to happen under last for ages
(`LONG_MS`) and are ended by hand, and short ones are waited for.
"""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
import uvloop

from firmware_sim.events import JoinRefusal
from firmware_sim.runtime import faults
from firmware_sim.runtime.live.impaired import Impaired
from tests.runtime.live.bench import bench

LONG_MS = 600_000


def play(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a scene on the loop that shards use."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())


def test_the_access_point_is_gone_and_back() -> None:
    async def scene() -> None:
        async with bench(keep_alive_s=600) as both:
            both.strike(faults.WifiGone(LONG_MS))
            assert both.lifecycle == "REJOINING"
            assert await both.in_cloud(), "nobody has said goodbye"
            refusals = both.refusals()
            await both.until(lambda: len(refusals) == 2)
            assert refusals == [JoinRefusal.NO_SUCH_NETWORK] * 2
            assert both.lifecycle == "REJOINING", "no network of that name is heard"
            both.end_faults()
            await both.online()
            await both.until(lambda: not both.lines)  # the second session has ended the first
            both.strike(faults.CablePulled(LONG_MS))
            assert both.session == "UP", "there is no cable"

    play(scene)


def test_a_device_that_joins_when_the_access_point_is_gone_finds_none() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.power(on=False)
            both.power(on=True)
            await both.until(lambda: both.lifecycle == "REJOINING")
            both.strike(faults.WifiGone(200))
            refusals = both.refusals()
            await both.until(lambda: refusals)
            assert both.lifecycle == "REJOINING"
            await both.online()
            assert both.place.faults == (), "it ends by itself"

    play(scene)


@pytest.mark.parametrize("moment", ["up", "linking"])
def test_the_cable_is_pulled_and_put_back(moment: str) -> None:
    async def scene() -> None:
        async with bench("gateway") as both:
            place = both.place
            if moment == "linking":
                both.power(on=False)
                both.power(on=True)
                assert place.joining is not None
            both.strike(faults.CablePulled(LONG_MS))
            assert place.joining is None
            await both.until(lambda: both.lifecycle == "REJOINING")
            both.world.plug(0, connected=False)
            both.world.plug(0, connected=True)
            assert place.joining is None, "the other end is still out"
            both.end_faults()
            await both.online()
            both.strike(faults.WifiGone(LONG_MS))
            assert both.session == "UP", "there is no antenna"

    play(scene)


@pytest.mark.parametrize("profile", ["ipc-red-green", "gateway"])
def test_an_address_that_is_late_is_waited_for_or_asked_for_again(profile: str) -> None:
    async def scene() -> None:
        async with bench(profile) as both:
            both.power(on=False)
            both.strike(faults.DhcpLate(LONG_MS, 600))
            waits_s = both.waits_s()
            both.power(on=True)
            await both.online()
            assert min(waits_s) > 0.6

    play(scene)


def test_no_name_no_call_and_no_session() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.DnsRefused(LONG_MS))
            await asyncio.sleep(0.05)
            assert both.session == "UP", "what stands is not affected"
            both.power(on=False)
            both.power(on=True)
            await both.until(lambda: "dns" in both.noted("call_failed"))
            both.end_faults()
            await both.online()

    play(scene)


def test_a_refused_connection_is_tried_again() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.ConnectRefused(LONG_MS))
            both.power(on=False)
            both.power(on=True)
            await both.until(lambda: "ConnectionRefusedError" in both.noted("call_failed"))
            both.end_faults()
            await both.online()

    play(scene)


def test_a_black_hole_silences_a_session_and_lets_nobody_in() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.BlackHole(LONG_MS))
            both.strike(faults.BlackHole(1))
            await both.until(lambda: both.session != "UP")  # no PONG came
            assert both.noted("mqtt_silent") == ["keep_alive"]
            _, connects = both.world.traffic(0)
            await both.until(lambda: both.session == "CONNECTING")
            assert both.in_hole()
            [old] = both.lines
            both.end_faults()
            await both.online()
            assert not both.in_hole()
            assert both.world.traffic(0)[1] > connects
            assert both.noted("mqtt_lost") == []
            await both.until(lambda: old not in both.lines)  # its last words have arrived

    play(scene)


def test_the_cloud_does_not_hear_who_is_switched_off_in_a_black_hole() -> None:
    async def scene() -> None:
        async with bench(keep_alive_s=600) as both:
            both.strike(faults.BlackHole(LONG_MS))
            both.power(on=False)
            await asyncio.sleep(0.05)
            assert await both.in_cloud()
            both.power(on=True)
            both.end_faults()
            await both.online()

    play(scene)


def test_a_session_whose_end_goes_unnoticed_is_told_from_others() -> None:
    async def scene() -> None:
        async with bench(notices_fin=False) as both:
            assert not both.world.severed(0)
            assert both.place.stream is not None
            both.place.stream.eof_received()  # as when the broker dies
            both.place.stream.connection_lost(None)
            assert both.session == "UP"
            assert both.world.severed(0)
            await both.until(lambda: both.session != "UP")
            assert not both.world.severed(0)
            await both.online()

    play(scene)


def test_a_half_open_session_is_noticed_at_both_ends_by_their_own_clocks() -> None:
    async def scene() -> None:
        async with bench() as both:
            assert not both.world.severed(0)
            both.strike(faults.HalfOpen())
            both.strike(faults.DnsRefused(LONG_MS))  # so that no new session ends the old one
            both.place.device.endpoints = None
            assert both.world.severed(0)
            await both.until(lambda: both.session != "UP")
            assert not both.world.severed(0)
            await both.cloud_thinks(online=False)
            await both.until(lambda: not both.lines)
            both.end_faults()
            await both.online()
            await both.cloud_thinks(online=True)

    play(scene)


def test_a_half_open_call_ends_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.runtime.live.http_call.TIMEOUT_S", 0.3)

    async def scene() -> None:
        async with bench() as both:
            place = both.place
            both.power(on=False)
            both.strike(faults.Slow(LONG_MS, 30))  # or the call would be over by now
            both.power(on=True)
            await both.until(lambda: place.call is not None and place.call.line is not None)
            both.strike(faults.HalfOpen())
            both.end_faults()
            await both.until(lambda: "timeout" in both.noted("call_failed"))
            await both.online()

    play(scene)


def test_a_slow_link_is_slow() -> None:
    async def scene() -> None:
        async with bench() as both:
            loop = asyncio.get_running_loop()
            both.power(on=False)
            both.strike(faults.Slow(LONG_MS, 30))
            start_s = loop.time()
            both.power(on=True)
            await both.online()
            assert loop.time() - start_s > 10 * 0.03
            line = both.place.stream.line if both.place.stream is not None else None
            assert isinstance(line, Impaired)
            assert not line._out.idle
            both.end_faults()
            assert both.session == "UP"
            await both.until(lambda: line._out.idle)

    play(scene)


def test_the_power_fails_and_comes_back() -> None:
    async def scene() -> None:
        async with bench(keep_alive_s=600) as both:
            both.strike(faults.PowerCut(1))
            both.strike(faults.PowerCut(LONG_MS))
            assert both.lifecycle == "OFF"
            assert await both.in_cloud(), "nobody has said goodbye"
            both.power(on=True)
            await both.until(lambda: both.place.faults == (faults.PowerCut(LONG_MS),))
            assert both.lifecycle == "OFF", "there is no voltage"
            both.end_faults()
            await both.online()

    play(scene)


def test_what_is_switched_off_meanwhile_stays_off() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.PowerCut(50))
            both.power(on=False)
            await both.until(lambda: both.place.faults == ())
            assert both.lifecycle == "OFF"
            both.strike(faults.PowerCut(50))
            both.power(on=True)
            await both.online()

    play(scene)


def test_a_world_that_closes_leaves_no_fault_behind() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.BlackHole(60_000))
            both.strike(faults.PowerCut(60_000))
            await both.world.close()
            assert not both.world._mischief._ends
            both.strike(faults.PowerCut(10))
            await asyncio.sleep(0.05)
            assert both.lifecycle == "OFF"

    play(scene)
