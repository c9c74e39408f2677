import sys
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.run.bridge.member import Member
from fleet.run.bridge.opening import open_bench, opener

ENV = """
targets:
  main:
    resources: {}
    drivers: {}
imports:
- firmware_sim.bench.labgrid
"""


def test_without_labgrid_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "labgrid", None)
    with pytest.raises(UsageError, match=r"firmware-sim\[bench\]"), open_bench("env.yaml", "main"):
        pass


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="no such environment file"),
        open_bench(str(tmp_path / "env.yaml"), "main"),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [(ENV, "no target 'other'"), ("{", "env.yaml"), ("targets: 5", "env.yaml"), ("", "env.yaml")],
)
def test_a_file_that_is_none_is_said(tmp_path: Path, text: str, message: str) -> None:
    env = tmp_path / "env.yaml"
    env.write_text(text)
    with pytest.raises(UsageError, match=message), open_bench(str(env), "other"):
        pass


def test_a_bench_is_opened_and_let_go(tmp_path: Path) -> None:
    env = tmp_path / "env.yaml"
    env.write_text(ENV)
    member = Member(str(env), "nvr", "u", "k", "p", "http://127.0.0.1:1", lan="127.0.0.0/8")
    with opener(member)() as bench, pytest.raises(UsageError, match=r"(?i)power"):
        bench.power.on()
