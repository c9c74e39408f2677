"""Exploring: a planted defect is found within a few seeds, shown, shrunk and kept on file."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.run.explore import command, record
from fleet.run.explore.case import Case
from fleet.run.explore.command import BY_SIGNAL, CLEAN, FOUND, Search, explore, usual_devices
from fleet.run.explore.outcome import DIED, Finding, Outcome
from fleet.run.explore.trial import play_case
from fleet.run.explore.workers import Here
from fleet.run.scenario import load_scenario
from tests.run.explore.support import SMALL, failing, outcome
from tests.run.explore.test_trial import forget_at_crash


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "load_scenario", lambda _: SMALL)
    monkeypatch.setattr(record, "program", lambda: "0.1.0 at 1a2b3c4")


def explored(search: Search, players: Here | None = None) -> tuple[int, str]:
    screen = Console(file=io.StringIO(), width=300)
    code = explore(search, screen, players or Here())
    return code, screen.file.getvalue()  # type: ignore[attr-defined]


def test_a_planted_defect_is_found_shown_shrunk_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forget_at_crash(monkeypatch)
    path = tmp_path / "case.json"
    search = Search("small", seeds=60, devices=4, shrinks=True, runs_max=60, case_out=path)
    code, text = explored(search)
    assert code == FOUND
    kept = record.read(path)
    seed = kept.case.seed
    assert seed < 60
    assert f"seed {seed} of small, program 0.1.0 at 1a2b3c4" in text
    assert f"see it all: fleet replay small --seed {seed} --devices 4" in text
    assert f"see it all: fleet replay {path}" in text
    assert " s  device " in text, "the last that happened"
    assert "chance comes from outside" not in text

    assert "before: 4 devices" in text
    assert kept.finding is not None
    assert kept.finding.name in text
    assert [table.kind for table in kept.case.scenario.faults] in (
        ["cloud_down"], ["crash_before_write"], ["crash_after_write"],
    )  # fmt: skip
    assert kept.case.devices <= 4
    again = play_case(kept.case)
    assert (again.digest, again.finding) == (kept.digest, kept.finding)


def test_a_clean_search_says_what_it_has_reached() -> None:
    players = Here(lambda _: outcome(struck={"slow": 2}, marks=(1,)))
    code, text = explored(Search("small", seeds=25, first_seed=100), players)
    assert code == CLEAN
    assert "25 of 25 seeds" in text
    assert "faults struck: slow 50" in text
    assert "never:" in text
    assert "failed" not in text


def test_seeds_begin_where_they_are_told_to() -> None:
    seeds: list[int] = []

    def play(one: Case) -> Outcome:
        seeds.append(one.seed)
        assert one.devices == 5
        return outcome()

    explored(Search("small", seeds=3, first_seed=40, devices=5), Here(play))
    assert seeds == [40, 41, 42]


def test_it_goes_on_if_told_so_and_names_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(one: Case) -> Outcome:
        return outcome(Finding(DIED, "killed", 0.0)) if one.seed % 2 else outcome()

    monkeypatch.setattr(command, "SHOWN_MAX", 2)
    code, text = explored(Search("small", seeds=8, keep_going=True), Here(play))
    assert code == FOUND
    assert [f"seed {seed}: died: killed" in text for seed in range(1, 9)] == [True, False] * 4
    assert text.count("see it all: fleet replay small") == 2
    assert "failed: died 4" in text


def test_a_second_run_that_is_another_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(_: Case, __: Finding) -> tuple[list[str], Outcome]:
        return ["    1.000 s  device 0"], failing().__class__(None, "other", 0, 0.0, {}, ())

    monkeypatch.setattr(command, "the_last", again)
    _, text = explored(Search("small", seeds=3), Here(lambda _: failing()))
    assert "chance comes from outside" in text


def test_ctrl_c_ends_it_with_what_there_is() -> None:
    def play(one: Case) -> Outcome:
        if one.seed == 4:
            raise KeyboardInterrupt
        return outcome()

    code, text = explored(Search("small", seeds=50), Here(play))
    assert code == BY_SIGNAL
    assert "3 seeds in" in text


def test_a_size_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="--devices 1"):
        explored(Search("small", devices=1))


def test_a_file_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        explored(Search("small", case_out=tmp_path / "none" / "case.json"))


def test_few_devices_take_part_but_one_of_each_product() -> None:
    assert usual_devices(load_scenario("reconnect-storm")) == 12
    assert usual_devices(SMALL) == 12
    many = SMALL.products * 10
    assert usual_devices(SMALL.__class__("x", "y", 40, many)) == 20


def test_processes_of_its_own_come_to_the_same(tmp_path: Path) -> None:
    screen = Console(file=io.StringIO(), width=300)
    assert explore(Search("small", seeds=2, devices=2, workers=1), screen) == CLEAN
    assert "2 of 2 seeds" in screen.file.getvalue()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())
