"""Who may enter a LAN, and why not; entering itself is tried where namespaces can be made."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.lan import entry, record
from fleet.lan.entry import do_inside, enter
from fleet.lan.namespace import plan
from fleet.lan.record import Record, Records, namespace_number

LAN = plan("shop", 3, "10.77.0.0/16")


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """A record of LAN `shop`, whose namespace is a plain file, so that nobody can enter it."""
    monkeypatch.setattr(record, "NAMESPACES", tmp_path)
    monkeypatch.setattr(entry, "NAMESPACES", tmp_path)
    (tmp_path / "shop").touch()
    kept = Records(tmp_path)
    kept.create(Record(LAN, number=namespace_number("shop"), whole=True))
    return kept


def test_another_system_is_told_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="exist on Linux only: use a Linux machine"):
        enter("shop", 1)


def test_a_lan_that_is_not_up(records: Records) -> None:
    records.update(Record(LAN))
    with pytest.raises(UsageError, match="LAN shop is half-made; make it anew: fleet lan down"):
        enter("shop", 1, records)


def test_a_lan_that_is_too_small(records: Records) -> None:
    with pytest.raises(UsageError, match="LAN shop has addresses for 3 devices, not for 4"):
        enter("shop", 4, records)


def test_no_right_to_enter(records: Records) -> None:
    with pytest.raises(UsageError, match=r"cannot enter LAN shop \(.*\): only root can"):
        enter("shop", 3, records)


def test_whoever_is_in_it_needs_no_right(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "own_number", lambda: namespace_number("shop"))
    assert enter("shop", 3, records) == LAN


@pytest.mark.usefixtures("records")
def test_work_that_cannot_be_done_inside_is_an_error_outside() -> None:
    with pytest.raises(OSError, match=os.strerror(22)):
        do_inside("shop", lambda: pytest.fail("it is not inside"))


def test_a_record_is_what_it_was(records: Records) -> None:
    assert msgspec.structs.asdict(records.load("shop"))["lan"] == LAN
