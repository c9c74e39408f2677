"""Flash on disk: the last whole image counts, a torn record does not, a full disk is said."""

from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.journal import FlashJournal


def test_the_last_image_of_each_device_counts(tmp_path: Path) -> None:
    path = tmp_path / "flash"
    assert FlashJournal.replay(path) == {}
    journal = FlashJournal(path)
    journal.save(3, b"old")
    journal.save(9, b"other")
    journal.save(3, b"new")
    journal.close()
    again = FlashJournal(path)
    again.save(1, b"")
    again.close()
    assert FlashJournal.replay(path) == {3: b"new", 9: b"other", 1: b""}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_torn_record_is_ignored_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "flash"
    journal = FlashJournal(path)
    journal.save(1, b"first")
    whole = path.stat().st_size
    journal.save(1, b"second")
    journal.close()
    data = path.read_bytes()
    for size in range(whole, len(data)):
        path.write_bytes(data[:size])
        assert FlashJournal.replay(path) == {1: b"first"}
    path.write_bytes(data[:whole] + b"\xff" * 100)
    assert FlashJournal.replay(path) == {1: b"first"}


def test_what_cannot_be_opened_or_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the flash journal"):
        FlashJournal(tmp_path / "absent" / "flash")
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(UsageError, match="No space left on device; free space"):
        FlashJournal(tmp_path / "full").save(1, b"x")
