import msgspec

from fleet.report.model import make_report
from tests.run.test_result import a_result

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
