import csv
import io

import msgspec

from fleet.report.model import Report
from fleet.report.tables_csv import tables
from tests.report.support import FORMULA, NASTY, OLDEST, SECRET, a_played_report


def rows(report: Report, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables(report)[name])))


def test_phases_over_all_and_by_method() -> None:
    report = a_played_report()
    found = {(row["phase"], row["method"]): row for row in rows(report, "phases.csv")}
    whole = found["unbind", "all"]
    assert whole["count"] == "8"
    assert float(whole["p999_ms"]) == report.phases["unbind"].p999_ms
    assert int(found["unbind", "qr"]["count"]) + int(found["unbind", "wired"]["count"]) == 8


def test_slots_with_all_their_columns() -> None:
    report = a_played_report()
    assert report.over_time is not None
    found = rows(report, "over_time.csv")
    assert len(found) == len(report.over_time.at_s)
    assert sum(int(row["unbound"]) for row in found) == 8
    assert sum(int(row["unbind.qr.count"]) for row in found) == 5
    assert {row["unbind.qr.p99_ms"] for row in found} > {""}, (
        "nothing where nobody has completed it"
    )


def test_outcomes_add_up() -> None:
    found = {
        (row["kind"], row["name"]): row["count"] for row in rows(a_played_report(), "outcomes.csv")
    }
    assert found["outcome", "unbound"] == found["devices", "all"] == "8"
    assert found["failed", "wifi_password"] == "1"


def test_lights_and_quotas_have_names_that_no_spreadsheet_calculates() -> None:
    report = a_played_report()
    assert {row["product"] for row in rows(report, "lights.csv")} == {NASTY, f"'{FORMULA}"}
    names = {row["name"] for row in rows(report, "quotas.csv")}
    assert names == {f"owner {NASTY}", NASTY, f"'{FORMULA}"}


def test_no_secret_is_in_them() -> None:
    assert not any(SECRET in text for text in tables(a_played_report()).values())


def test_an_old_report_gives_heads() -> None:
    old = msgspec.convert(OLDEST, Report)
    assert rows(old, "phases.csv")[0]["p999_ms"] == ""
    assert tables(old)["lights.csv"].count("\r\n") == 1
    assert tables(old)["over_time.csv"] == "at_s\r\n"
