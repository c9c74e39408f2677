from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.report.files import prepare, write_report
from fleet.report.model import Report, make_report
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
