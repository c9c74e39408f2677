import msgspec

from fleet.report.model import make_report
from tests.run.test_result import a_bad_day, a_result

KEYS = [
    "scenario",
    "seed",
    "mode",
    "devices",
    "wall_s",
    "cpu_s",
    "peak_rss_mb",
    "outcomes",
    "phases",
    "by_method",
    "generator",
    "violations",
]


def test_the_keys_are_those_that_were_promised() -> None:
    report = msgspec.json.decode(msgspec.json.encode(make_report(a_result())))
    assert list(report)[: len(KEYS)] == KEYS
    assert list(report["outcomes"]) == ["unbound", "rebound", "refused", "failed"]
    assert list(report["phases"]["boot"]) == [
        "count",
        "p50_ms",
        "p90_ms",
        "p95_ms",
        "p99_ms",
        "max_ms",
    ]
    assert list(report["generator"]) == ["loop_lag_p99_ms", "cpu_pct"]
    assert list(report["by_method"]) == ["qr", "wired"]


def test_days_and_attacks_are_told() -> None:
    result = a_result()
    outcomes = msgspec.structs.replace(result.outcomes, attacks={"replay": 2, "guess": 40})
    days = {"2026-01-01": 75, "2026-01-02": 45}
    report = make_report(msgspec.structs.replace(result, outcomes=outcomes, unbound_by_day=days))
    assert (report.unbound_by_day, report.attacks) == (days, {"guess": 40, "replay": 2})


def test_figures_are_rounded_and_reasons_sorted() -> None:
    report = make_report(a_result())
    assert (report.mode, report.wall_s, report.cpu_s, report.peak_rss_mb) == (
        "live",
        12.346,
        6.25,
        256.0,
    )
    assert list(report.outcomes.refused) == ["account_quota", "token_full"]
    assert report.phases["boot"].count == 3
    assert report.phases["boot"].max_ms == 2500
    assert report.phases["rebind"].p99_ms == 0
    assert report.generator.cpu_pct == 12.3
    assert report.passed


def test_a_bad_day_is_told_in_figures_per_device() -> None:
    report = msgspec.json.decode(msgspec.json.encode(make_report(a_bad_day())))
    assert report["recovery"][0] == {
        "at_s": 3.0,
        "down_s": 60.0,
        "devices": 4,
        "back_50_s": 1.23,
        "back_95_s": 2.35,
        "back_100_s": 4.0,
        "lost_again": 1,
        "connects_while_down": 12.5,
        "connects_after": 1.5,
        "connects_after_max": 3,
        "cloud_cpu_s": 0.5,
        "cloud_cpu_pct": 12.5,
    }
    assert [report["recovery"][1][key] for key in ("back_95_s", "cloud_cpu_pct")] == [None, None]
    assert report["traffic"] == {
        "calls_per_device": 3.33,
        "calls_max": 6,
        "connects_per_device": 1.33,
        "connects_max": 2,
    }
    assert report["retries"] == [
        {
            "reason": "activation_refused: TOKEN_DEAD",
            "attempts": 120,
            "devices": 2,
            "per_device_min_max": 60,
            "cloud_cpu_pct": 33.3,
        }
    ]
    cut = {"kind": "power_cut", "during": "reset", "struck": 3}
    assert report["faults"][0] == cut | {"states": {"booting": 1, "resetting": 2}}


def test_a_good_day_has_nothing_to_tell() -> None:
    report = make_report(a_result())
    assert (report.recovery, report.retries, report.faults) == ((), (), ())
    assert report.traffic.calls_per_device == 0
