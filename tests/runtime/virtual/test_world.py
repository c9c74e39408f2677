"""The virtual world carries out what devices want, as the live one does."""

import asyncio

import pytest

from firmware_sim import events as ev
from firmware_sim.effects import Effect, Noted
from firmware_sim.errors import UsageError
from firmware_sim.runtime import faults
from firmware_sim.wire.provisioning import QrText, encode_qr
from tests.runtime.virtual.support import NETWORKS, Scene, play

CODE = encode_qr(QrText("home", NETWORKS["home"], "EUabcdefghijkl"))
BOOT_MS = 3_000


async def waiting(*profiles: str) -> Scene:
    """Return devices that wait for a code."""
    scene = Scene(*(profiles or ("ipc-red-green",)))
    for index in range(len(profiles) or 1):
        scene.world.tell(index, ev.PowerApplied())
    await scene.wait(BOOT_MS + 1_000)
    assert scene.state() == "WAITING"
    return scene


def test_every_effect_has_somebody_who_carries_it_out() -> None:
    async def story() -> None:
        kinds = {kind for kind in Effect.__subclasses__() if kind.__module__.endswith(".effects")}
        firmware = {kind for kind in kinds if kind.__module__ == "firmware_sim.effects"}
        assert set(Scene().world._driver_of) == firmware

    play(story)


def test_a_camera_reads_a_code_joins_and_calls_its_cloud() -> None:
    async def story() -> None:
        scene = await waiting()
        scene.world.show(0, CODE)
        await scene.wait(2_000)
        assert scene.shown()[-2:] == ["JOINING", "ACTIVATING"]
        [call] = scene.server.calls
        assert call.place.ip == "10.0.0.2"
        assert scene.world.traffic(0) == (1, 0)

    play(story)


def test_a_wrong_site_has_no_such_network() -> None:
    async def story() -> None:
        scene = await waiting()
        scene.world.move(0, "other")
        scene.world.show(0, CODE)
        await scene.wait(2_000)
        assert "FAILED" in scene.shown()
        with pytest.raises(UsageError, match="no site 'nowhere'"):
            scene.world.move(0, "nowhere")

    play(story)


def test_a_recorder_announces_itself_while_its_cable_is_in() -> None:
    async def story() -> list[int]:
        scene = await waiting("nvr")
        heard: list[bytes] = []
        for port in (6666, 6667):
            await scene.world.lan.listen(lambda data, _: heard.append(data), "", port)
        counts = []
        for connected in (True, False, True):
            scene.world.plug(0, connected=connected)
            await scene.wait(1_000)
            heard.clear()
            await scene.wait(11_000)
            counts.append(len(heard))
        return counts

    first, without, again = play(story)
    assert without == 0
    assert first > 0
    assert again > 0


def test_a_power_cut_takes_everything_and_gives_it_back() -> None:
    async def story() -> None:
        scene = await waiting()
        scene.world.show(0, CODE)
        await scene.wait(1_500)
        scene.world.strike(0, faults.PowerCut(1_000))
        assert scene.state() == "OFF"
        scene.world.tell(0, ev.PowerApplied())  # a hand at the switch: there is no voltage
        assert scene.state() == "OFF"
        await scene.wait(1_000)
        assert scene.state() == "BOOTING"
        await scene.wait(BOOT_MS)
        assert scene.state() in ("WAITING", "JOINING")

    play(story)


def test_a_switch_that_is_off_stays_off_after_a_cut() -> None:
    async def story() -> None:
        scene = await waiting()
        scene.world.strike(0, faults.PowerCut(1_000))
        scene.world.tell(0, ev.PowerRemoved())
        await scene.wait(5_000)
        assert scene.state() == "OFF"

    play(story)


def test_a_skewed_clock_is_the_device_s_own_and_its_timers_are_right() -> None:
    async def story() -> tuple[int, int]:
        scene = Scene("ipc-red-green", "ipc-red-green")
        scene.world.place(1).skew_ms = 3_600_000
        for index in range(2):
            scene.world.tell(index, ev.PowerApplied())
        await scene.wait(BOOT_MS)
        assert (scene.state(0), scene.state(1)) == ("WAITING", "WAITING")
        return scene.world.device(0).now_ms, scene.world.device(1).now_ms

    true_ms, skewed_ms = play(story)
    assert skewed_ms - true_ms == 3_600_000


def test_whoever_looks_sees_each_step_and_may_act_from_within() -> None:
    async def story() -> None:
        scene = Scene("ipc-red-green", "ipc-red-green")
        steps: list[int] = []

        def look(place: object) -> None:
            steps.append(scene.agenda.now_ms)
            if len(steps) == 1:
                scene.world.tell(1, ev.PowerApplied())

        scene.world.stepped.append(look)
        scene.world.tell(0, ev.PowerApplied())
        assert (scene.state(0), scene.state(1), len(steps)) == ("BOOTING", "BOOTING", 2)

    play(story)


def test_tones_and_notes_are_observed_with_the_device_that_made_them() -> None:
    async def story() -> None:
        scene = await waiting("ipc-red-green", "ipc-red-green")
        scene.world.show(1, CODE)
        await scene.wait(9_000)
        notes = [(index, what) for index, what in scene.told if isinstance(what, Noted)]
        assert notes
        assert {index for index, what in notes if what.kind == "call_failed"} == {1}

    play(story)


@pytest.mark.parametrize("seed", [1, 2])
def test_one_seed_is_one_trace(seed: int) -> None:
    def digest() -> str:
        async def story() -> str:
            scene = Scene("ipc-red-green", "nvr", "gateway", seed=seed)
            for index in range(3):
                scene.world.tell(index, ev.PowerApplied())
            scene.world.show(0, CODE)
            await scene.wait(60_000)
            return scene.trace.digest()

        return play(story)

    assert digest() == digest()


def test_a_world_lives_in_a_virtual_loop_only() -> None:
    async def story() -> None:
        Scene()

    with pytest.raises(AssertionError):
        asyncio.run(story())
