"""Cases, findings and scores as lines for people."""

from pathlib import Path

from fleet.run.explore import words
from fleet.run.explore.case import Conditions
from fleet.run.explore.hunt import Score
from fleet.run.explore.marks import ROWS
from fleet.run.explore.outcome import Finding
from fleet.run.scenario import QuotaLimits
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
    narrow = case(devices=5).replace(quotas=QuotaLimits(account=3, product=9), batch_max=30)
    assert list(words.contents(narrow))[1:] == ["quotas: account 3, product 9; batch_max 30"]
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
    lines = list(words.summary(score, 3600))
    assert lines[:2] == [
        "1 seed in 3600 s: 3 events, 0.0 h of virtual time",
        "faults struck: loss 3, slow 1,200",
    ]
    assert lines[2] == f"2 of {len(ROWS)} rows of the firmware's tables have fired; never:"
    assert "firmware_sim/device/lifecycle.py:" in lines[3]
    assert len(lines) == 3 + words.ROWS_SHOWN_MAX + 1
    assert lines[-1].startswith(f"  and {len(ROWS) - 2 - words.ROWS_SHOWN_MAX} more; ")
    assert list(words.summary(Score(), 1))[1] == "faults struck: nothing"


def test_what_was_found_is_not_drowned_in_rows() -> None:
    score = Score()
    score.take(case(), outcome(marks=(0, 1)))
    score.take(case(), failing())
    assert "2 of 10 seeds (0.0/s), 1 failed, " in words.progress(score, 10, 0)
    lines = list(words.summary(score, 1))
    assert lines[-2:] == [
        f"2 of {len(ROWS)} rows of the firmware's tables have fired",
        "failed: planted 1",
    ]
    assert len(lines) == 4


def test_tables_that_were_reached_as_a_whole() -> None:
    score = Score()
    score.take(case(), outcome(marks=tuple(range(len(ROWS)))))
    count = len(ROWS)
    assert list(words.summary(score, 1))[-1] == (
        f"{count} of {count} rows of the firmware's tables have fired"
    )
