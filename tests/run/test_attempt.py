import asyncio

import pytest

from fleet.app import qr
from fleet.app.finder import Found
from fleet.app.handover import Delivery
from fleet.app.messages import HistoryRow
from fleet.run import attempt as module
from fleet.run.attempt import Batch, Result, Verdict, attempt
from fleet.run.population import Unit
from tests.run.fakes import MiniCloud, MiniConsole, MiniWorld, small

POPULATION = small()
CAMERAS = tuple(unit for unit in POPULATION.units if not unit.product.wired)[:3]
RECORDERS = tuple(unit for unit in POPULATION.units if unit.product.wired)[:3]


class Scene:
    """A fresh world, an operator, and what came of one attempt."""

    def __init__(self) -> None:
        self.cloud = MiniCloud(POPULATION)
        self.world = MiniWorld(POPULATION, self.cloud)
        self.console = MiniConsole(self.cloud, "owner@maker")

    def play(self, units: tuple[Unit, ...], presented: bool = False) -> list[Result]:
        async def story() -> list[Result]:
            token = await self.console.unbind_token("qr", max_devices=len(units))
            payload = qr.payload("Rückläufer", "returns-2024", token.token)
            batch = Batch(units, token, None if units[0].product.wired else payload)
            event = asyncio.Event() if presented else None
            results = await attempt(self.world.stage(), self.console.client, batch, event)
            assert event is None or event.is_set()
            return results

        return asyncio.run(story())


@pytest.mark.parametrize("units", [CAMERAS, RECORDERS], ids=["qr", "wired"])
def test_all_devices_are_unbound(units: tuple[Unit, ...]) -> None:
    scene = Scene()
    results = scene.play(units, presented=True)
    assert [r.unit for r in results] == list(units)
    assert all(r.released and r.verdict is Verdict.UNBOUND and not r.reason for r in results)
    assert not any(scene.cloud.owners[unit.uuid] for unit in units)


def test_the_phone_is_taken_away_from_each_lens_that_has_read_the_code() -> None:
    scene = Scene()
    scene.play(CAMERAS)
    for unit in CAMERAS:
        shows = [entry[2] for entry in scene.world.log if entry[:2] == ("show", unit.index)]
        assert shows == [True, False]


def test_a_refusal_is_looked_up() -> None:
    scene = Scene()
    scene.cloud.owners[CAMERAS[1].uuid] = ""
    results = scene.play(CAMERAS)
    assert [r.verdict for r in results] == ["unbound", "failed", "unbound"]
    assert [r.reason for r in results] == ["", "not_bound", ""]
    assert results[1].light == "activation_failed"


def test_a_device_that_is_released_but_heard_nothing_counts_as_released() -> None:
    scene = Scene()
    scene.cloud.lose_replies = 1
    results = scene.play(CAMERAS)
    assert results[0].verdict is Verdict.FAILED
    assert all(r.released for r in results)


def test_a_power_cut_is_a_lost_attempt() -> None:
    scene = Scene()
    scene.world.power_cuts.add(CAMERAS[0].index)
    results = scene.play(CAMERAS)
    assert results[0].verdict is Verdict.LOST
    assert results[0].released


def test_one_that_sees_nothing_gets_its_phone_taken_away() -> None:
    scene = Scene()
    scene.world.deaf.add(CAMERAS[2].index)
    results = scene.play(CAMERAS, presented=True)
    assert [r.verdict for r in results] == ["unbound", "unbound", "lost"]
    assert scene.world.log[-1] == ("show", CAMERAS[2].index, False)


def test_one_that_hangs_from_an_earlier_attempt_is_restarted_as_well() -> None:
    scene = Scene()
    camera = CAMERAS[0]
    scene.world.deaf.add(camera.index)
    scene.world.enter(camera.index, "ACTIVATING", "registering", "unbinding")
    [result] = scene.play((camera,))
    assert result.verdict is Verdict.LOST
    assert [entry for entry in scene.world.log if entry[0] == "power"] == [
        ("power", camera.index, False),
        ("power", camera.index, True),
    ]


def test_one_that_hangs_is_restarted() -> None:
    scene = Scene()
    scene.world.hang.add(CAMERAS[0].index)
    results = scene.play(CAMERAS)
    assert results[0].verdict is Verdict.LOST
    assert not results[0].released
    powers = [entry[2] for entry in scene.world.log if entry[:2] == ("power", CAMERAS[0].index)]
    assert powers == [False, True]


def test_a_wired_device_that_is_not_heard_of_is_lost() -> None:
    scene = Scene()
    scene.world.deaf.add(RECORDERS[0].index)
    results = scene.play(RECORDERS)
    assert [r.verdict for r in results] == ["lost", "unbound", "unbound"]


def test_a_wired_device_that_says_no_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESEND_S", 0.01)
    scene = Scene()
    scene.world.refuse_tokens = 2
    assert all(r.released for r in scene.play(RECORDERS))


def test_a_wired_device_gets_no_token_behind_the_operators_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RESEND_S", 0.01)
    scene = Scene()
    dark, busy = RECORDERS[0], RECORDERS[1]
    handed: list[str] = []
    original = scene.world.hand_over

    async def hand_over(found: Found, token_text: str) -> Delivery:
        handed.append(found.uuid)
        if len(handed) == 1:
            scene.world.enter(dark.index, "OFF", "off", "")
        if len(handed) == 3:
            scene.world.enter(dark.index, "WAITING", "waiting", "waiting")
        return await original(found, token_text)

    monkeypatch.setattr(scene.world, "hand_over", hand_over)
    scene.world.refuse_tokens = 5
    scene.world.enter(dark.index, "BOOTING", "booting", "")
    results = scene.play((dark, busy))
    assert [result.verdict for result in results] == ["lost", "unbound"]
    assert handed == [busy.uuid] * 6


def test_the_newest_row_counts() -> None:
    row = HistoryRow(1, 0, "unbind", "refused", reason="token_full")
    result = Result(CAMERAS[0], Verdict.FAILED, "activation_failed", row)
    assert (result.released, result.reason) == (False, "token_full")
    assert Result(CAMERAS[0], Verdict.LOST, "off").reason == ""


def test_no_secret_is_shown() -> None:
    scene = Scene()
    token = asyncio.run(scene.console.unbind_token("qr"))
    batch = Batch(CAMERAS, token, b"payload-secret")
    assert token.token not in repr(batch)
    assert "secret" not in repr(batch)
