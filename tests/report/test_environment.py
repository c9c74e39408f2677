import os
import platform
import re
from pathlib import Path

import pytest

from fleet.report import environment
from fleet.report.environment import look_round


def test_where_we_are() -> None:
    found = look_round()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found.written_at)
    assert found.cores >= 1
    assert found.python.endswith(platform.python_version())
    assert "msgspec" in found.libraries
    assert "" not in found.libraries.values()


def test_neither_host_nor_user_is_named() -> None:
    text = repr(look_round())
    for name in (platform.node(), os.environ.get("USER", ""), str(Path.home())):
        assert len(name) < 3 or name not in text


def test_a_system_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(environment, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(environment, "LIBRARIES", ("no-such-library",))
    found = look_round()
    assert (found.processor, found.memory_mb, found.libraries) == (platform.machine(), 0, {})
