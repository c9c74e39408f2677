"""Records of what was made, in a folder of the test and with namespaces that are plain files."""

from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.lan import record as module
from fleet.lan.namespace import plan
from fleet.lan.record import Record, Records, namespace_number, own_number

RECORD = Record(plan("shop", 3, "10.77.0.0/16"))


@pytest.fixture
def namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "netns"
    folder.mkdir()
    monkeypatch.setattr(module, "NAMESPACES", folder)
    return folder


def test_a_record_is_kept_changed_and_forgotten(tmp_path: Path) -> None:
    records = Records(tmp_path / "new")
    assert list(records) == []
    records.create(RECORD)
    assert records.load("shop") == RECORD
    changed = msgspec.structs.replace(RECORD, number=7)
    records.update(changed)
    assert list(records) == [changed]
    records.remove("shop")
    records.remove("shop")
    assert list((tmp_path / "new").iterdir()) == []


def test_one_name_is_one_lan(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.create(RECORD)
    with pytest.raises(UsageError, match=r"there is a LAN shop already; use it .* or remove it"):
        records.create(RECORD)
    with pytest.raises(UsageError, match="there is a LAN shop already"):
        records.need_free("shop")
    records.need_free("hall")


def test_what_is_not_there_is_explained_by_what_is(tmp_path: Path) -> None:
    records = Records(tmp_path)
    with pytest.raises(UsageError, match=r"made no LAN hall here \(but: none\)"):
        records.load("hall")
    records.create(RECORD)
    with pytest.raises(UsageError, match=r"\(but: shop\); make it, as root: fleet lan up hall"):
        records.load("hall")


def test_a_damaged_record_is_one_line_and_hides_no_other(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.create(RECORD)
    (tmp_path / "hall.json").write_text("{}")
    with pytest.raises(UsageError, match=r"hall.json: .*; remove it by hand"):
        records.load("hall")
    assert list(records) == [RECORD]


@pytest.mark.parametrize("name", ["", "Shop", "1st", "../shop", "a" * 12, "a b"])
def test_a_name_is_part_of_paths_and_interfaces(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a LAN"):
        Records(tmp_path).load(name)


def test_states(namespaces: Path) -> None:
    assert RECORD.state == "half-made"
    assert msgspec.structs.replace(RECORD, number=7).state == "half-made"
    assert msgspec.structs.replace(RECORD, number=7, whole=True).state == "gone"
    (namespaces / "shop").touch()
    begun = msgspec.structs.replace(RECORD, number=namespace_number("shop"))
    assert begun.state == "half-made", "the namespace is there, what belongs into it is not"
    made = msgspec.structs.replace(begun, whole=True)
    assert made.state == "up"
    assert msgspec.structs.replace(made, number=made.number + 1).state == "replaced"


def test_every_process_is_in_some_namespace() -> None:
    assert own_number() > 0
