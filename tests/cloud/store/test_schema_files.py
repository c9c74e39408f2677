"""Which schema files a database still needs."""

from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store.schema_files import SCHEMA, scripts_after
from tests.cloud.store.things import write_schema


def test_the_files_beyond_a_version_in_order(tmp_path: Path) -> None:
    folder = write_schema(tmp_path / "schema", "one", "two", "three")
    (folder / "notes.sql").write_text("not numbered")
    assert scripts_after(0, folder, "db") == ["one", "two", "three"]
    assert scripts_after(2, folder, "db") == ["three"]
    assert scripts_after(3, folder, "db") == []


def test_a_newer_database_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_schema(tmp_path / "schema", "one")
    with pytest.raises(UsageError, match=r"^db was written by a newer version.*schema 2") as told:
        scripts_after(2, folder, "db")
    assert "\n" not in str(told.value)


def test_the_shipped_files_are_numbered_without_gaps() -> None:
    names = sorted(file.name for file in SCHEMA.iterdir())
    assert names == [f"{number:04}.sql" for number in range(1, len(names) + 1)]
    assert len(scripts_after(0, SCHEMA, "db")) == len(names)
