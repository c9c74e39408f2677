from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.report.files import prepare, read_report, write_report, write_views
from fleet.report.making import make_report
from fleet.report.model import Report
from tests.report.support import OLDEST, SECRET, a_played_report
from tests.run.test_result import a_result


def test_a_report_is_written_and_read_back(tmp_path: Path) -> None:
    report = make_report(a_result())
    path = write_report(report, tmp_path)
    assert path == tmp_path / "report.json"
    data = path.read_bytes()
    assert data.endswith(b"}\n")
    assert msgspec.json.decode(data, type=Report) == report


def test_the_folder_is_made_before_anything_starts(tmp_path: Path) -> None:
    prepare(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    prepare(tmp_path / "a" / "b")


def test_a_place_where_no_report_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"no report can be written there: .*another --report"):
        prepare(tmp_path / "file")


def test_all_views_are_written_and_can_be_made_anew(tmp_path: Path) -> None:
    report = a_played_report()
    write_report(report, tmp_path)
    paths: list[Path] = []
    write_views(report, tmp_path, paths.append)
    assert [path.name for path in paths] == [
        "report.html",
        "junit.xml",
        "phases.csv",
        "over_time.csv",
        "outcomes.csv",
        "lights.csv",
        "quotas.csv",
    ]
    first = {path.name: path.read_bytes() for path in paths}
    assert not any(SECRET.encode() in data for data in first.values())
    again: list[Path] = []
    write_views(read_report(tmp_path), tmp_path, again.append)
    assert again == paths
    assert {path.name: path.read_bytes() for path in paths} == first


def test_a_report_is_found_by_folder_and_by_file(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(msgspec.json.encode(OLDEST))
    assert read_report(tmp_path) == read_report(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "not a JSON file"),
        (b"\xff{", "not a JSON file"),
        (b"[]", r"no report of a run: \(top level\): expected `object`, got `array`"),
        (b'{"scenario": "x"}', "no report of a run: .*missing required field `seed`"),
        (msgspec.json.encode(OLDEST | {"seed": "x"}), "no report of a run: seed: expected `int`"),
    ],
)
def test_what_is_no_report(tmp_path: Path, data: bytes, line: str) -> None:
    (tmp_path / "report.json").write_bytes(data)
    with pytest.raises(UsageError, match=line) as caught:
        read_report(tmp_path)
    assert "\n" not in str(caught.value)


def test_where_no_report_is(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"report.json: cannot read the report: No such file.*name a"
    ):
        read_report(tmp_path)
