import msgspec

from fleet.report.health import Health
from fleet.report.making import make_report
from fleet.run.expectations import Outcomes
from tests.report.support import MACHINE, SECRET, a_played_report, a_played_result
from tests.run.test_result import a_bad_day, a_result


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
    assert report.traffic is not None
    assert report.traffic.calls_per_device == 0


def test_the_details_of_a_run_are_in_its_report() -> None:
    report = a_played_report()
    assert report.passed, report.unmet
    assert (report.for_sale, report.environment) == (2, MACHINE)
    assert {
        method: phases["unbind"].count for method, phases in report.phases_by_method.items()
    } == {
        "qr": 5,
        "wired": 3,
    }
    assert report.health == Health(
        bottleneck=False,
        sentence="The generator was not the bottleneck: in virtual time the clock waits for it.",
        loop_lag_p99_ms=0.0,
        cpu_pct_by_shard={},
        machine_cpu_pct=None,
    )
    assert [one.passed for one in report.thresholds] == [True, True, None]


def test_thresholds_decide_as_well() -> None:
    result = a_played_result()
    assert result.passed
    outcomes = Outcomes(unbound=7, rebound=2, refused={}, failed={})
    report = make_report(msgspec.structs.replace(result, outcomes=outcomes))
    assert [one.passed for one in report.thresholds] == [False, True, None]
    assert not report.passed


def test_no_secret_is_in_the_file() -> None:
    assert SECRET.encode() not in msgspec.json.encode(a_played_report())


def test_without_details_a_report_has_its_figures() -> None:
    report = make_report(a_result(), MACHINE)
    assert (report.over_time, report.lights, report.thresholds) == (None, None, ())
    assert report.environment == MACHINE
