import msgspec

from fleet.report.model import Report
from tests.report.support import OLDEST, a_played_report

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
PHASE = ["count", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"]


def test_the_keys_are_those_that_were_promised() -> None:
    report = msgspec.json.decode(msgspec.json.encode(a_played_report()))
    assert list(report)[: len(KEYS)] == KEYS
    assert list(report["outcomes"]) == ["unbound", "rebound", "refused", "failed"]
    assert list(report["phases"]["boot"])[: len(PHASE)] == PHASE
    assert list(report["generator"]) == ["loop_lag_p99_ms", "cpu_pct"]
    assert list(report["by_method"]) == ["qr", "wired"]


def test_the_oldest_report_can_be_read() -> None:
    report = msgspec.json.decode(msgspec.json.encode(OLDEST), type=Report)
    assert list(OLDEST) == KEYS
    assert (report.passed, report.thresholds, report.over_time) == (False, (), None)


def test_a_report_is_read_as_it_was_written() -> None:
    report = a_played_report()
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_keys_of_a_later_version_do_no_harm() -> None:
    report = msgspec.json.decode(msgspec.json.encode(OLDEST | {"later": [1]}), type=Report)
    assert report.scenario == "old"
