"""Tampered firmware is refused each time, and a cloud that lets it through is found out.

Whole runs in virtual time: the attacks are about what the real cloud answers.
"""

import asyncio
from types import SimpleNamespace
from typing import Any, cast, get_args

import msgspec
import pytest

from firmware_sim.rng import Rng
from firmware_sim.wire import atop
from fleet.app.cloud_link import CloudLink
from fleet.app.consumer import ConsumerClient
from fleet.app.errors import CloudUnreachable
from fleet.cloud.api import device_api
from fleet.cloud.directory import DeviceDirectory
from fleet.run import seeding, tampered
from fleet.run.faults import FaultTable
from fleet.run.population import populate
from fleet.run.reasons import Attack
from fleet.run.result import RunResult
from fleet.run.scenario import Tampered, load_scenario
from fleet.run.stage import Stage
from fleet.run.tampered import AFTER, BEFORE, Burglar, victim_of
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import make_sight
from fleet.run.voice import Asked, Voice
from tests.run.fakes import MiniCloud, MiniConsole, MiniWorld, small

NAME = "tampered-firmware"


def run(devices: int = 10, burglars: int = 1, **changes: Any) -> RunResult:
    changes = {"tampered": Tampered(burglars, guesses=2), **changes}
    scenario = msgspec.structs.replace(load_scenario(NAME), **changes)
    play = Play(populate(scenario, devices, 1), make_sight("model", "pyzbar"), lambda _: None)
    play.play()
    return play.result("model")


def lines(result: RunResult) -> set[str]:
    """Return what has broken out, without saying which device it was."""
    found = [line for line in result.violations if line.startswith("tampered: ")]
    return {line.removeprefix("tampered: ").partition(": ")[2] for line in found}


def test_every_attack_has_a_name_that_can_be_expected() -> None:
    assert list(get_args(Attack)) == [*BEFORE, *AFTER]
    assert set(load_scenario(NAME).expect.attacks) == set(get_args(Attack))


def test_the_victim_is_no_device_on_a_bench() -> None:
    first, second, third = small(3).units
    real = msgspec.structs.replace(third, foreign=True)
    assert victim_of(first, (first, second, third)) == second
    assert victim_of(second, (first, second, third)) == third
    assert victim_of(second, (first, second, real)) == first


def test_every_attack_is_in_vain_on_every_generation_of_firmware() -> None:
    result = run(devices=24, burglars=6)
    assert result.violations == ()
    assert result.outcomes.attacks == {
        "foreign_account": 6,
        "no_owner": 6,
        "guess": 12,
        "foreign_uuid": 6,
        "forged_key": 18,
        "foreign_reset": 6,
        "own_reset": 6,
        "skewed_clock": 12,
        "foreign_session": 12,
        "foreign_topics": 48,
        "stale_key": 12,
        "replay": 6,
    }
    assert result.outcomes.unbound == 24


def test_attacks_go_on_when_the_cloud_comes_back() -> None:
    away = FaultTable("cloud_down", during="unbind", at_s=0.3, every_s=1.7, for_s=0.5)
    result = run(faults=(away,))
    assert result.violations == ()
    assert result.outcomes.attacks["replay"] == 1
    assert result.faults[0].states


class Answers:
    """A voice that is always answered with one word, or never: the cloud is away."""

    def __init__(self, word: str) -> None:
        self.word = word

    def activation(self, *_: str) -> Asked:
        return Asked("/d.json", b"", "")

    async def say(self, _: Asked) -> str:
        if not self.word:
            raise CloudUnreachable("away")
        return self.word


def pass_on(word: str) -> tuple[Burglar, Stage]:
    population = small(4)
    world = MiniWorld(population, MiniCloud(population))
    link = cast("CloudLink", SimpleNamespace(patience_s=0.01))
    stage, operator = world.stage(link), MiniConsole(world.cloud, "owner@maker").client
    burglar = Burglar(
        unit=population.units[0],
        victim=population.units[1],
        voice=cast("Voice", Answers(word)),
        rng=Rng(1),
        guesses=1,
        stranger=cast("ConsumerClient", None),
    )
    asyncio.run(tampered._pass_on(stage, burglar, operator))
    return burglar, stage


def test_a_device_that_cannot_be_passed_on_is_told_of() -> None:
    burglar, stage = pass_on("ACCOUNT_QUOTA")
    assert burglar.overheard is None
    [line] = stage.tally.break_outs
    assert line.endswith(": the release was refused with ACCOUNT_QUOTA")
    assert stage.tally.unbound == {}


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tampered, "PAUSE_S", 0.02)
    with pytest.raises(CloudUnreachable, match="away"):
        pass_on("")


# --- what a cloud with a hole would look like ----------------------------------------------------


def test_a_cloud_that_believes_an_old_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = seeding.settings

    def lenient(*of: Any) -> Any:
        return msgspec.structs.replace(strict(*of), refuse_replayed_activations=False)

    monkeypatch.setattr(seeding, "settings", lenient)
    assert "replay was answered with DONE" in lines(run())


def test_a_cloud_that_looks_at_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind:
        def __getattr__(self, name: str) -> Any:
            return getattr(atop, name)

        def check_sign(self, *_: Any) -> None:
            """Believe everybody."""

    monkeypatch.setattr(device_api, "atop", Blind())
    found = lines(run())
    assert any(line.startswith("forged_key was answered with ") for line in found)
    assert any(line.startswith("foreign_uuid was answered with ") for line in found)


def test_a_cloud_that_gives_bound_devices_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.cloud.activation.may_bind", lambda *_: True)
    result = run()
    assert "foreign_account was answered with DONE" in lines(result)
    assert any(line.startswith("one_owner: ") for line in result.violations)


def test_a_broker_that_lets_everybody_hear_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeviceDirectory, "may_subscribe", lambda *_: True)
    monkeypatch.setattr(DeviceDirectory, "may_publish", lambda *_: True)
    assert "foreign_topics was answered with DONE" in lines(run())
