"""The README of the bench: what it names is there, and what it shows can be done."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import labgrid.driver
import labgrid.protocol
import pytest
from labgrid.factory import target_factory

import firmware_sim.bench.labgrid as ours
from firmware_sim.bench.capabilities import Bench
from firmware_sim.bench.endpoints import http
from firmware_sim.device.indicator import LIGHTS
from fleet.hil.start import Start

ROOT = Path(ours.__file__).parents[3]
BENCH = ROOT / "firmware_sim" / "bench"
TEXT = (BENCH / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_every_path_exists() -> None:
    named = re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|md|toml|yaml)|(?:[\w-]+/)+)`", TEXT)
    hil = ROOT / "fleet" / "hil"
    rooms = (ROOT, BENCH, BENCH / "reader", BENCH / "endpoints", hil, hil / "example")
    made = {"env.yaml", "out.xml"}
    lost = [p for p in named if not any((room / p).exists() for room in rooms)]
    assert set(lost) <= made
    assert len(named) > 25


def test_every_driver_and_protocol_exists_and_all_of_ours_are_named() -> None:
    theirs = {*vars(labgrid.driver), *vars(labgrid.protocol)}
    named = set(re.findall(r"\b[A-Z]\w+(?:Driver|Protocol)\b", TEXT))
    assert named - theirs - set(target_factory.all_classes) == set()
    mine = {name for name in target_factory.drivers if name.startswith("Fleet")}
    assert mine - named == set()
    assert {name for name in ours.__all__ if name.endswith("Protocol")} - named == set()


def test_every_part_and_state_is_named() -> None:
    parts = {name for name in vars(Bench) if name[0] != "_"}
    assert {part for part in parts if f"| `{part}` |" not in TEXT} == set()
    assert {state for state in LIGHTS if f"`{state}`" not in TEXT} <= {"ota"}
    assert {start for start in get_args(Start) if f"| `{start}` |" not in TEXT} == set()


def test_every_call_is_named() -> None:
    paths = {path for _, path, *_ in http._TABLE if path}
    assert {path for path in paths if path not in TEXT} == set()


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_every_option_exists(line: str) -> None:
    program, *words = line.split()
    if program in ("cp", "cd"):
        assert (ROOT / words[-2 if program == "cp" else 0]).exists() or words == ["../my-bench"]
        return
    command = [sys.executable, "-m", program, *(["bench", "serve"] if program == "fleet" else [])]
    done = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [word for word in words if word.startswith("--") and word not in done.stdout] == []


def test_what_it_shows_can_be_done(tmp_path: Path) -> None:
    suite, *scripts = blocks("python")
    (tmp_path / "test_suite.py").write_text(suite)
    (tmp_path / "test_scripts.py").write_text(
        "\n".join(
            f"def test_{number}():\n" + re.sub(r"^(?=.)", "    ", text, flags=re.MULTILINE)
            for number, text in enumerate(scripts)
        )
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{2 + len(scripts)} passed" in done.stdout, done.stdout + done.stderr
