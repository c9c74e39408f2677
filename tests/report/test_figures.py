from math import inf

import msgspec

from fleet.report.figures import figures
from fleet.report.health import Health
from fleet.report.making import make_report
from fleet.report.model import Report
from fleet.run.metrics import METRICS
from tests.report.support import OLDEST, a_played_report
from tests.run.test_result import a_bad_day, a_result


def test_every_figure_has_a_name_that_thresholds_know() -> None:
    for report in (a_played_report(), make_report(a_bad_day()), make_report(a_result())):
        assert set(figures(report)) <= set(METRICS)


def test_what_a_virtual_run_has() -> None:
    found = figures(a_played_report())
    assert found["outcomes.unbound_pct"] == found["outcomes.rebound_pct"] == 100
    assert found["unbind.qr.count"] + found["unbind.wired.count"] == found["unbind.count"] == 8
    assert found["rates.unbound_peak_per_s"] >= found["rates.unbound_per_s"] > 0
    assert "run.speedup" in found
    assert "generator.cpu_pct" not in found


def test_what_a_live_run_has() -> None:
    report = make_report(a_result())
    health = Health(False, "", 1.0, {"0": 30.0, "1": 70.0}, 50.0)
    found = figures(msgspec.structs.replace(report, health=health))
    assert found["generator.cpu_pct_max"] == 70
    assert "run.speedup" not in found


def test_the_worst_outage_counts_and_never_is_for_ever() -> None:
    found = figures(make_report(a_bad_day()))
    assert found["recovery.back_50_s"] == 1.23
    assert found["recovery.back_100_s"] == inf
    assert found["faults.power_cut"] == 3
    assert found["retries.per_device_min_max"] == 60


def test_of_nobody_all_are_bound_anew() -> None:
    assert figures(a_played_report(for_sale=0))["outcomes.rebound_pct"] == 100
    found = figures(a_played_report(for_sale=3))["outcomes.rebound_pct"]
    assert 66 < found < 67


def test_an_old_report_has_fewer() -> None:
    found = figures(msgspec.convert(OLDEST, Report))
    assert found["unbind.p99_ms"] == 130
    assert "unbind.p999_ms" not in found
    assert "outcomes.rebound_pct" not in found
    assert set(found) <= set(METRICS)
