"""A finding on file: read as it was written, and every mistake in it is one line."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.run.explore import record
from fleet.run.explore.record import Record, program, read, write
from tests.run.explore.support import CUT, DOWN, case, failing


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = Record(case(CUT, DOWN), "0.1.0 at 1a2b3c4", failing().finding, "d1")
    write(kept, tmp_path / "case.json")
    assert read(tmp_path / "case.json") == kept
    assert '\n    "devices": 2,\n' in (tmp_path / "case.json").read_text()


def test_a_file_by_hand_needs_no_more_than_the_case(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(
        '{"case": {"scenario": {"name": "x", "title": "y", "devices": 1, "products": '
        '[{"name": "p", "profile": "nvr", "share": 1}], "unbind": false}, "devices": 1, "seed": 4}}'
    )
    assert read(path).case.seed == 4
    assert read(path).finding is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "not a JSON file"),
        ("{}", "missing required field `case`"),
        ('{"case": 7}', "case: expected `object`"),
        ('{"kase": 7}', "object contains unknown field `kase`"),
    ],
)
def test_what_is_no_case_is_one_line(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=fault):
        read(path)


def test_what_no_scenario_can_be_is_refused(tmp_path: Path) -> None:
    write(Record(case(operators=())), tmp_path / "case.json")
    with pytest.raises(UsageError, match=r"case\.scenario: operators: nobody is there"):
        read(tmp_path / "case.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the case"):
        read(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot write the case"):
        write(Record(case()), tmp_path / "no" / "case.json")


def test_a_place_is_looked_at_before_anything_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.check_place(tmp_path / "case.json")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="cannot write the case: this is a folder"):
        record.check_place(tmp_path)
    with pytest.raises(UsageError, match="cannot write the case: there is no folder"):
        record.check_place(tmp_path / "none" / "case.json")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot write the case: that is not allowed"):
        record.check_place(tmp_path / "case.json")


def test_the_program_has_a_version_and_mostly_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"rev-parse": "1a2b3c4\n", "status": " M README.md\n"}

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, said[command[3]], "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(record, "version", lambda _: "0.1.0")
    assert program() == "0.1.0 at 1a2b3c4+"
    said["status"] = ""
    assert program() == "0.1.0 at 1a2b3c4"


def test_without_git_or_a_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("git")

    def nowhere(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    monkeypatch.setattr(record, "version", nowhere)
    assert program() == "no version"
