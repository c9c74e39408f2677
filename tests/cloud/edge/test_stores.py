"""Which store a place of data means, and what is loaded for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge.stores import open_store
from fleet.cloud.store import postgres
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.sqlite import FILE_NAME, SqliteStore

URL = "postgresql://h/d"


@pytest.mark.parametrize("place", [None, ""])
def test_no_place_is_memory(place: str | None) -> None:
    assert isinstance(open_store(place), MemoryStore)


def test_a_folder_is_a_file_in_it(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "data"))
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / "data" / FILE_NAME).is_file()


def test_an_address_is_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(postgres, "PostgresStore", opened.append)
    open_store(URL)
    assert opened == [URL]


def test_without_the_extra_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fleet.cloud.store.postgres", None)
    with pytest.raises(UsageError, match=r"pip install 'firmware-sim\[postgresql\]'"):
        open_store(URL)


def test_the_extra_is_loaded_only_when_it_is_used(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom fleet.cloud.edge.process import open_store\n"
        f"open_store(None); open_store({str(tmp_path)!r}).close()\n"
        "assert 'asyncpg' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
