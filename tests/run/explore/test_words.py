"""Cases, findings and scores as lines for people."""

from pathlib import Path

from fleet.run.explore import words
from fleet.run.explore.case import Conditions
from fleet.run.explore.hunt import Score
from fleet.run.explore.marks import ROWS
from fleet.run.explore.outcome import Finding
from tests.run.explore.support import CUT, DOWN, SLOW, case, failing, outcome


def test_a_case_says_what_is_special_about_it() -> None:
    odd = case(DOWN, CUT, SLOW, seed=7, conditions=Conditions(trip_ms=5, write_ms=90))
    odd = odd.replace(firmware={"notices_fin": False, "backoff": "capped"}, cloud={"region": "AZ"})
    assert list(words.contents(odd)) == [
        "2 devices, 2 products, 3 operators, 3 faults, seed 7",
        "conditions: trip_ms 5, write_ms 90",
        "firmware: notices_fin False, backoff capped",
        "cloud: region AZ",
        "faults[0]: cloud_down during unbind, for_s 2, at_s 4",
        "faults[1]: power_cut during always, for_s 1, every_s 5, share_pct 30",
        "faults[2]: slow during home, for_s 9.5, latency_ms 1234",
    ]
    assert list(words.contents(case())) == ["2 devices, 2 products, 3 operators, 0 faults, seed 1"]
    assert words.counted(1, "run") == "1 run"
    assert words.counted(12345, "run") == "12,345 runs"


def test_a_finding_says_what_where_and_what_else() -> None:
    others = ("one: a", "one: b", "one: c", "one: d", "one: e", "one: f", "one: g")
    finding = Finding("one", "b", 1.5, others, "Traceback\n  somewhere\n")
    assert list(words.failure(finding)) == [
        "one: b, at 1.500 s",
        *(f"also one: {letter}" for letter in "acdef"),
        "and 1 more",
        "Traceback",
        "  somewhere",
    ]
    assert list(words.indented(["x"])) == ["  x"]


def test_commands_can_be_pasted() -> None:
    assert words.replay_seed("batch-unbind", case(seed=3)) == (
        "fleet replay batch-unbind --seed 3 --devices 2"
    )
    assert words.replay_seed("my dir/a.toml", case()).startswith("fleet replay 'my dir/a.toml' ")
    assert words.replay_file(Path("out/case.json")) == "fleet replay out/case.json"


def test_a_score_says_how_far_it_is_and_what_was_never_reached() -> None:
    score = Score()
    score.take(case(), outcome(struck={"slow": 1200, "loss": 3}, marks=(0, 1)))
    assert words.progress(score, 10, 2.0) == (
        f"1 of 10 seeds (0.5/s), 2 of {len(ROWS)} rows; struck: loss 3, slow 1,200"
    )
    score.take(case(), failing())
    assert "2 of 10 seeds (0.0/s), 1 failed, " in words.progress(score, 10, 0)
    lines = list(words.summary(score, 3600))
    assert lines[0] == "2 seeds in 3600 s: 6 events, 0.0 h of virtual time"
    assert lines[1:3] == ["faults struck: loss 3, slow 1,200", "failed: planted 1"]
    assert lines[3].startswith(f"2 of {len(ROWS)} rows")
    assert len(lines) == 4 + len(ROWS) - 2
    assert "firmware_sim/device/lifecycle.py:" in lines[4]
    assert list(words.summary(Score(), 1))[1] == "faults struck: nothing"
