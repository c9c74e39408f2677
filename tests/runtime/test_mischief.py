"""Faults begin and end: what each does to a device, in virtual time (for live ones see `live`)."""

import asyncio

import pytest

from firmware_sim import events as ev
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import AnyFault, Fault
from firmware_sim.runtime.mischief import Mischief
from firmware_sim.wire import atop
from tests.runtime.virtual.support import HOST, PORT, Scene, play
from tests.runtime.virtual.test_world import BOOT_MS, CODE, waiting

FOR_MS = 20_000
ASKED = {
    faults.DhcpLate: "attachment",
    faults.DnsRefused: "wan",
    faults.ConnectRefused: "wan",
    faults.Duplicate: "lan",
    faults.Reorder: "lan",
}
"""What has no beginning of its own: whoever joins, connects or speaks takes notice there."""


def test_every_fault_begins_somewhere_and_what_begins_may_end() -> None:
    assert set(AnyFault.__args__) == {*Mischief._BEGIN, *ASKED}
    assert set(Mischief._END) < set(Mischief._BEGIN)


@pytest.mark.parametrize(
    "fault",
    [
        faults.WifiGone(FOR_MS),
        faults.CablePulled(FOR_MS),
        faults.DhcpLate(FOR_MS, 10),
        faults.DnsRefused(FOR_MS),
        faults.ConnectRefused(FOR_MS),
        faults.BlackHole(FOR_MS),
        faults.Slow(FOR_MS, 10),
        faults.PowerCut(FOR_MS),
        faults.Loss(FOR_MS, 10),
        faults.Duplicate(FOR_MS, 10),
        faults.Reorder(FOR_MS, 10),
        faults.Partition(FOR_MS),
        faults.ClockSkew(FOR_MS, 10),
    ],
)
def test_a_fault_ends_by_itself(fault: Fault) -> None:
    profile = "nvr" if isinstance(fault, faults.CablePulled) else "ipc-red-green"

    async def story() -> None:
        scene = await waiting(profile)
        scene.world.strike(0, fault)
        scene.world.strike(0, fault)
        assert scene.world.place(0).faults == (fault, fault)
        await scene.wait(FOR_MS)
        assert scene.world.place(0).faults == ()
        assert scene.world.place(0).skew_ms == 0

    play(story)


def test_a_fault_that_means_nothing_to_a_device_leaves_it_alone() -> None:
    async def story() -> None:
        scene = await waiting("ipc-red-green", "nvr")
        scene.world.strike(0, faults.CablePulled(FOR_MS))
        scene.world.strike(1, faults.WifiGone(FOR_MS))
        assert scene.world.place(0).faults == scene.world.place(1).faults == ()

    play(story)


def test_the_access_point_and_the_cable_are_gone_and_back() -> None:
    async def story() -> None:
        scene = await waiting("ipc-red-green", "nvr")
        camera, recorder = (scene.world.place(index) for index in range(2))
        scene.world.show(0, CODE)
        await scene.wait(2_000)
        assert [place.linked for place in (camera, recorder)] == [True, True]
        scene.world.strike(0, faults.WifiGone(FOR_MS))
        scene.world.strike(1, faults.CablePulled(FOR_MS))
        assert [place.linked for place in (camera, recorder)] == [False, False]
        await scene.wait(FOR_MS - 1)
        assert [place.linked for place in (camera, recorder)] == [False, False]
        await scene.wait(1_000)
        assert [place.linked for place in (camera, recorder)] == [False, True]

    play(story)


def test_a_cable_that_is_pulled_while_its_link_comes_up_does_not() -> None:
    async def story() -> None:
        scene = Scene("nvr")
        scene.world.tell(0, ev.PowerApplied())
        scene.world.strike(0, faults.CablePulled(FOR_MS))
        await scene.wait(5_000)
        assert not scene.world.place(0).linked
        await scene.wait(FOR_MS)
        assert scene.world.place(0).linked

    play(story)


def test_connections_die_without_a_word() -> None:
    async def story() -> None:
        scene = await waiting()
        scene.world.show(0, CODE)
        await scene.wait(2_000)
        [call] = scene.server.calls
        scene.world.strike(0, faults.HalfOpen())
        assert scene.world.place(0).faults == (), "there is no end to it"
        assert call.dead

    play(story)


# --- clocks -------------------------------------------------------------------------------------


def test_a_wrong_clock_signs_at_a_wrong_time_and_is_right_again() -> None:
    async def story() -> list[int]:
        scene = await waiting()
        ahead_s = []
        for fault in (faults.ClockSkew(5_000, -7_200), None):
            if fault is not None:
                scene.world.strike(0, fault)
            device = scene.world.device(0)
            ahead_s.append(device.now_s - scene.world.now_ms() // 1000)
            await scene.wait(6_000)
            scene.world.tell(0, ev.LinkDown())  # so that it looks at its clock
        ahead_s.append(device.now_s - scene.world.now_ms() // 1000)
        return ahead_s

    assert play(story) == [-7_200, 0, 0]


@pytest.mark.parametrize("skew_s", [-86_400, 86_400])
@pytest.mark.parametrize("from_within", [True, False])
def test_a_wrong_clock_makes_nothing_early_or_late(skew_s: int, from_within: bool) -> None:
    async def story() -> None:
        scene = Scene("ipc-red-green")
        scene.world.tell(0, ev.PowerApplied())
        if from_within:  # as when an ambush waits for a state

            def strike(_: object) -> None:
                scene.world.stepped.clear()
                scene.world.strike(0, faults.ClockSkew(1_000, skew_s))

            scene.world.stepped.append(strike)
            scene.world.tell(0, ev.ButtonPressed())
            scene.world.tell(0, ev.ButtonReleased())
        else:
            await scene.wait(500)
            scene.world.strike(0, faults.ClockSkew(1_000, skew_s))
        booted_ms = scene.world.device(0).profile.timings.boot_ms
        left_ms = booted_ms - (0 if from_within else 500)
        await scene.wait(left_ms - 1)
        assert scene.state() == "BOOTING"
        await scene.wait(1)
        assert scene.state() == "WAITING"

    play(story)


def test_a_device_that_was_refused_for_its_clock_asks_again_in_time() -> None:
    async def story() -> list[int]:
        scene = await waiting()
        place = scene.world.place(0)
        scene.world.strike(0, faults.ClockSkew(60_000, 3_600))
        scene.world.show(0, CODE)
        await scene.wait(2_000)
        servers = b'{"httpsSelfUrl":{"addr":"http://%s:%d/d.json"},"mqttsSelfUrl":{"addr":"%s:%d"},"caArr":["AA=="]}'
        scene.server.calls[-1].answer(200, servers % (HOST.encode(), PORT, HOST.encode(), PORT))
        signed = []
        for _ in range(2):
            await scene.wait(1_500)
            call = scene.server.calls[-1]
            now_s = scene.world.now_ms() // 1000
            signed.append(atop.decode_query(call.wish.target).t - now_s)
            inner = atop.encode_error("STALE_TIME", "no", now_s)
            key = place.device.identity.auth_key
            call.answer(200, atop.encode_reply(inner, now_s, key, atop.ET_ECB, b""))
        return signed

    first_s, second_s = play(story)
    assert first_s == pytest.approx(3_600, abs=2)
    assert second_s == pytest.approx(0, abs=2)


# --- the world that ends ------------------------------------------------------------------------


def test_whoever_closes_lets_nothing_end() -> None:
    async def story() -> None:
        scene = await waiting()
        scene.world.strike(0, faults.PowerCut(1_000))
        scene.world._mischief.close()
        await asyncio.sleep(BOOT_MS)
        assert scene.state() == "OFF"

    play(story)
