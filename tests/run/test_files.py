import errno
import os
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from fleet.run.files import announcement, run_folder, write_atomically


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("old")
    write_atomically(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_line_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "report.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"report.json: cannot be written: No space left on dev"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        write_atomically(tmp_path / "no" / "where", b"")


# --- files for which others wait ------------------------------------------------------------------


def test_an_announcement_is_there_only_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("of an earlier start that was killed")
    with announcement(path) as announce:
        assert not path.exists()
        announce(b"here")
        assert path.read_bytes() == b"here"
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_who_fails_before_it_puts_back_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("of one that is up")

    def fail() -> None:
        raise UsageError("the data are in use")

    with pytest.raises(UsageError, match="in use"), announcement(path):
        fail()
    assert path.read_text() == "of one that is up"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_of_a_later_start_stays(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with announcement(path) as announce:
        announce(b"mine")
        path.write_text("of a later start")
    assert path.read_text() == "of a later start"


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    with announcement(None) as announce:
        announce(b"here")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_replaced_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be replaced: "), announcement(tmp_path):
        pass
    nowhere = tmp_path / "no" / "ready.json"
    with pytest.raises(UsageError, match="cannot be written: "), announcement(nowhere) as announce:
        announce(b"here")


def test_a_temporary_folder_goes_away() -> None:
    with run_folder(None) as folder:
        (folder / "cloud").mkdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_a_named_folder_stays(tmp_path: Path) -> None:
    with run_folder(tmp_path / "a" / "b") as folder:
        (folder / "data").write_text("x")
    assert (tmp_path / "a" / "b" / "data").exists()
    with pytest.raises(UsageError, match="not empty"), run_folder(tmp_path / "a"):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot keep data there"), run_folder(tmp_path / "file/x"):
        pass
