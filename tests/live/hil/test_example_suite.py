"""The example suite through labgrid: at simulated devices behind endpoints, and its env file for real ones."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from labgrid import Environment

import fleet.hil
from firmware_sim.bench.labgrid.bench import make_bench, model_of
from firmware_sim.errors import UsageError
from fleet.hil.device_model import Model
from tests.live.hil import simulated

EXAMPLE = Path(fleet.hil.__file__).parent / "example"
HARDWARE = EXAMPLE / "env-hardware.example.yaml"
FOUND = {
    "main": {"power", "button", "console", "led", "camera", "link", "phone"},
    "recorder": {"power", "button", "console", "led", "link", "phone"},
}


def through_labgrid(folder: Path, env: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a suite as a reader would, with the files where they are."""
    options = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=legacy", "-rs"]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "--lg-env", str(env), *options, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("profile", "outcome"),
    [("ipc-red-green", "6 passed, 1 skipped"), ("nvr", "4 passed, 3 skipped")],
)
def test_it_passes_at_simulated_devices(tmp_path: Path, profile: str, outcome: str) -> None:
    with simulated.bench(tmp_path, profile) as env:
        done = through_labgrid(tmp_path, env, str(EXAMPLE), "--junit-xml", "out.xml")
    assert outcome in done.stdout, done.stdout + done.stderr
    cases = list(ElementTree.parse(tmp_path / "out.xml").iter("testcase"))
    assert len(cases) == 7


OTHER = """
import pytest

def test_of_this_model(bench, device):
    assert device.profile == "gateway"
    bench.power.on()
    assert bench.supply.sample(0.5).milliamps.max() > 10
    bench.ear.wait_for(1, timeout_s=1)

@pytest.mark.parametrize("bench_profile", ["nvr"])
def test_of_another(bench):
    pass

def test_that_fails(bench):
    bench.power.on()
    bench.led.wait_for("white", "solid", timeout_s=3)
"""


def test_reports_name_what_was_seen(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(OTHER)
    with simulated.bench(tmp_path, "gateway") as env:
        done = through_labgrid(tmp_path, env, "test_other.py", "--bench-artifacts", "seen")
    assert "2 failed, 1 skipped" in done.stdout, done.stdout + done.stderr
    assert "tone 1 was not played within 1 s" in done.stdout
    assert "the device at this bench is gateway, and this test is for nvr" in done.stdout
    assert "light_png: seen/test_other.py_test_that_fails-call.png" in done.stdout
    assert len(list((tmp_path / "seen").iterdir())) == 2


# --- hardware -----------------------------------------------------------------------------------


@pytest.fixture
def hardware() -> Iterator[Environment]:
    environment = Environment(str(HARDWARE))
    yield environment
    environment.cleanup()


def test_the_env_file_for_hardware_has_two_targets(hardware: Environment) -> None:
    assert set(hardware.config.get_targets()) == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_each_target_has_all_parts_that_the_suite_needs(hardware: Environment, name: str) -> None:
    """Nothing is activated: there is no such hardware here."""
    target = hardware.get_target(name)
    assert target is not None
    assert make_bench(target).parts() == FOUND[name]
    assert Model(model_of(target)).wired is (name == "recorder")
    used = {supplier for driver in target.drivers for supplier in driver.suppliers}
    idle = [one.display_name for one in target.resources if one not in used]
    assert idle == [f"FleetModel(target={name})"]


def test_what_is_not_there_is_said(hardware: Environment) -> None:
    bench = make_bench(hardware.get_target("main"))
    with pytest.raises(UsageError, match=r"FleetGpiodOutputDriver needs|cannot be used"):
        _ = bench.button
