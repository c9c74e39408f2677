"""Whole runs in virtual time: they come out as live, and the same seed is the same run."""

import gc
import os
import subprocess
import sys

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.run.command import INTERRUPTED
from fleet.run.population import populate
from fleet.run.result import RunResult
from fleet.run.scenario import load_scenario
from fleet.run.virtual import command
from fleet.run.virtual.command import Play, perform_virtual
from fleet.run.virtual.sights import make_sight

DEVICES = 24
_ONE = "import sys; from tests.run.virtual.test_command import run; r = run(seed=int(sys.argv[1])); print(r.virtual.trace_digest)"


def run(scenario: str = "batch-unbind", devices: int = DEVICES, seed: int = 1) -> RunResult:
    return perform_virtual(scenario, devices=devices, seed=seed, console=Console(quiet=True))


def test_a_whole_batch_unbinding_passes_with_every_refusal() -> None:
    result = run()
    assert result.passed, (result.violations, result.unmet)
    assert (result.outcomes.unbound, result.outcomes.rebound) == (DEVICES, DEVICES // 3)
    assert set(result.outcomes.refused) >= {"no_permission", "token_dead", "already_bound"}
    assert result.phases["unbind"].count == DEVICES
    assert result.virtual is not None
    assert result.virtual.virtual_s > 10


def test_frames_are_counted_where_they_are_made() -> None:
    console = Console(quiet=True)
    real = perform_virtual(devices=12, scenario="batch-unbind", lens="real", console=console)
    assert real.passed, (real.violations, real.unmet)
    assert real.frames >= real.decoded >= real.phases["scan"].count > 0
    assert (run(devices=12).frames, run(devices=12).decoded) == (0, 0)


@pytest.mark.parametrize("scenario", ["flaky-wan", "power-cut", "bad-network"])
def test_scenarios_with_faults_are_played_unchanged(scenario: str) -> None:
    result = run(scenario, devices=20, seed=3)
    assert result.passed, (result.violations, result.unmet)
    assert sum(sum(fault.states.values()) for fault in result.faults) > 20


def test_an_outage_is_recovered_from() -> None:
    result = perform_virtual(
        "reconnect-storm", devices=20, seed=1, outage_s=30, console=Console(quiet=True)
    )
    assert result.passed, (result.violations, result.unmet)
    [outage] = result.outages
    assert outage.down_s == 30
    assert outage.recovered_s[100] <= 15


def digest_in_another_process(seed: int, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _ONE, str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_one_seed_is_one_trace_in_every_process_and_with_every_hash_seed() -> None:
    here = run(seed=7).virtual
    assert here is not None
    assert digest_in_another_process(7, "1") == here.trace_digest
    assert digest_in_another_process(7, "2") == here.trace_digest
    other = run(seed=8).virtual
    assert other is not None
    assert other.trace_digest != here.trace_digest


def test_ctrl_c_leaves_a_result_of_what_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LOOK_EVERY_S", 0)

    def interrupt(play: Play) -> None:
        if play.run is not None and play.run.phase == "unbind":
            raise KeyboardInterrupt

    population = populate(load_scenario(), DEVICES, 1)
    play = Play(population, make_sight("model", "pyzbar"), lambda _: None, interrupt)
    play.play()
    result = play.result("model")
    assert (result.aborted, result.passed) == (INTERRUPTED, False)
    assert result.unmet == ()


def test_a_size_that_no_virtual_network_has_is_refused() -> None:
    with pytest.raises(UsageError, match="1000000 devices"):
        run(devices=1_000_001)


def test_the_garbage_collector_is_left_as_it_was() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    during: list[tuple[int, int, int]] = []
    population = populate(load_scenario(), 4, 1)
    sight = make_sight("model", "pyzbar")
    Play(
        population,
        sight,
        lambda _: None,
        prepare=lambda _: during.append(gc.get_threshold()),
    ).play()
    assert during == [command.COLLECT_AFTER]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
