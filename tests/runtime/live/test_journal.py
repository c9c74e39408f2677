"""Flash on disk: the last whole image counts, a torn record does not, a full disk is said."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live import journal
from firmware_sim.runtime.live.journal import FlashJournal


def test_the_last_image_of_each_device_counts(tmp_path: Path) -> None:
    path = tmp_path / "flash"
    assert FlashJournal.replay(path) == {}
    first = FlashJournal(path)
    first.save(3, b"old")
    first.save(9, b"other")
    first.save(3, b"new")
    first.close()
    again = FlashJournal(path)
    again.save(1, b"")
    again.close()
    assert FlashJournal.replay(path) == {3: b"new", 9: b"other", 1: b""}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_torn_record_is_ignored_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "flash"
    torn = FlashJournal(path)
    torn.save(1, b"first")
    whole = path.stat().st_size
    torn.save(1, b"second")
    torn.close()
    data = path.read_bytes()
    for size in range(whole, len(data)):
        path.write_bytes(data[:size])
        assert FlashJournal.replay(path) == {1: b"first"}
    path.write_bytes(data[:whole] + b"\xff" * 100)
    assert FlashJournal.replay(path) == {1: b"first"}
    torn = FlashJournal(path)
    torn.save(2, b"after it")
    torn.close()
    assert FlashJournal.replay(path) == {1: b"first", 2: b"after it"}


def test_a_large_file_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_SIZE_MAX", 10_000)
    path = tmp_path / "flash"
    kept = FlashJournal(path)
    sizes = []
    for number in range(1000):
        kept.save(number % 3, b"%0100d" % number)
        sizes.append(path.stat().st_size)
    assert max(sizes) < 10_300
    assert FlashJournal.replay(path) == {n % 3: b"%0100d" % n for n in (997, 998, 999)}
    for index in range(200):  # what lives is larger than the limit: it is not renewed each time
        kept.save(index, b"%0100d" % index)
    renewals = sum(after < before for before, after in pairwise(sizes))
    kept.close()
    assert len(FlashJournal.replay(path)) == 200
    assert renewals < 15
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["flash"]


def test_what_cannot_be_opened_or_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the flash journal"):
        FlashJournal(tmp_path / "absent" / "flash")
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(UsageError, match="No space left on device; free space"):
        FlashJournal(tmp_path / "full").save(1, b"x")
    with pytest.raises(UsageError, match="the flash of device 1 is 65537 bytes"):
        FlashJournal(tmp_path / "other").save(1, bytes(65537))


def test_a_disk_that_takes_half_a_record_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = FlashJournal(tmp_path / "flash")
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", lambda _, data: len(data) - 1)
        with pytest.raises(UsageError, match="disk full; free space"):
            kept.save(1, b"image")
    kept.close()
