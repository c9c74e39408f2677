"""The pytest plugin in test runs of its own: fixtures, options, and reports of tests that fail."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import fleet.hil

PYTEST = (sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")
EXAMPLE = Path(fleet.hil.__file__).parent / "example"
GREEN = """
def test_it_is_there(bench, device, clock):
    assert device.profile == {profile!r}
    assert not bench.power.get()
    assert clock is bench.clock
"""
FAILING = """
def test_that_fails(bench):
    bench.power.on()
    bench.led.wait_for("white", "solid", timeout_s=4)
"""


def run(
    folder: Path, *words: str, labgrid: bool = False, **files: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest on some files (`conftest`, `test_x`), as somebody would who has installed it.

    The plugin of `labgrid` takes longer to load than most of these runs do.
    """
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return subprocess.run(
        [*PYTEST, *(() if labgrid else ("-p", "no:labgrid")), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_an_environment_the_bench_is_virtual(tmp_path: Path) -> None:
    done = run(tmp_path, labgrid=True, test_it=GREEN.format(profile="ipc-red-green"))
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_labgrids_plugin_need_not_be_there(tmp_path: Path) -> None:
    done = run(tmp_path, test_it=GREEN.format(profile="ipc-red-green"))
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_model_is_an_option_or_a_setting(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nbench_profile = gateway\n")
    assert "1 passed" in run(tmp_path, test_it=GREEN.format(profile="gateway")).stdout
    done = run(tmp_path, "--bench-profile", "nvr", test_it=GREEN.format(profile="nvr"))
    assert "1 passed" in done.stdout


def test_several_models_are_several_tests(tmp_path: Path) -> None:
    suite = """
import pytest

def test_any(device):
    assert device.profile in ("nvr", "dvr")

@pytest.mark.parametrize("bench_profile", ["gateway"])
def test_one(device):
    assert device.profile == "gateway"

def test_none():
    pass
"""
    options = ("--bench-profile", "nvr", "--bench-profile", "dvr")
    done = run(tmp_path, *options, "-vv", test_it=suite)
    names = [
        line.split()[0].split("::")[1] for line in done.stdout.splitlines() if " PASSED" in line
    ]
    assert names == ["test_any[nvr]", "test_any[dvr]", "test_one[gateway]", "test_none"]


def test_fixtures_of_the_users_own_come_first(tmp_path: Path) -> None:
    conftest = """
import pytest

@pytest.fixture
def device():
    return "mine"
"""
    suite = """
import sys
import pytest

@pytest.fixture
def bench():
    return "wooden"

def test_mine(device, bench):
    assert (device, bench) == ("mine", "wooden")

@pytest.fixture
def clock():
    return "sundial"

def test_it_is_mine_too(clock):
    assert clock == "sundial"
    assert "firmware_sim.bench.capabilities" not in sys.modules
"""
    done = run(tmp_path, conftest=conftest, test_it=suite)
    assert "2 passed" in done.stdout, done.stdout


def test_nothing_is_loaded_before_a_test_asks_for_it(tmp_path: Path) -> None:
    suite = """
import sys

def test_none():
    heavy = {"numpy", "msgspec", "fleet.hil.virtual", "firmware_sim.bench", "fleet.hil.start"}
    assert not heavy & set(sys.modules)
"""
    done = run(tmp_path, test_it=suite)
    assert "1 passed" in done.stdout, done.stdout
    assert not list(tmp_path.glob("bench-report"))


def test_a_test_that_fails_leaves_its_light(tmp_path: Path) -> None:
    words = ("--bench-artifacts", "seen", "--junit-xml", "out.xml", "-o", "junit_family=legacy")
    done = run(tmp_path, *words, test_it=FAILING)
    assert "1 failed" in done.stdout
    assert "- bench -" in done.stdout
    assert "It starts. Light: red." in done.stdout
    picture, table = (
        tmp_path / "seen" / f"test_it.py_test_that_fails-call.{x}" for x in ("png", "csv")
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert table.read_text().startswith("time_s,red,green,blue\n")
    assert f"light_png: {picture.relative_to(tmp_path)}" in done.stdout
    found = ElementTree.parse(tmp_path / "out.xml").iter("property")
    assert {one.get("name") for one in found} == {"light_png", "light_csv"}


def test_the_folder_is_pytests_if_none_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "--basetemp", str(tmp_path / "base"), test_it=FAILING)
    assert "1 failed" in done.stdout
    assert len(list((tmp_path / "base" / "bench-report").iterdir())) == 2


def test_a_folder_that_cannot_be_written_costs_the_picture_only(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run(
        tmp_path,
        "--bench-artifacts",
        "taken",
        test_it=FAILING,
        test_more=GREEN.format(profile="ipc-red-green"),
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "cannot be written: File exists; name another --bench-artifacts" in done.stdout


def test_a_start_that_fails_leaves_its_light_too(tmp_path: Path) -> None:
    suite = """
import pytest

@pytest.mark.bench_start("unbound")
def test_that_cannot_begin(bench):
    pass
"""
    conftest = "import fleet.hil.start as start\nstart.PATIENCE_S = 1.0\nstart._first.__globals__\n"
    conftest += "real = start._first\n"
    conftest += "start._first = lambda b, d, s, t, h: real(b, d, s, 1.0, h)\n"
    done = run(tmp_path, "--bench-artifacts", "seen", conftest=conftest, test_it=suite)
    assert "1 error" in done.stdout
    assert (tmp_path / "seen" / "test_it.py_test_that_cannot_begin-setup.png").exists()


def test_a_start_and_a_part_are_named_by_marks(tmp_path: Path) -> None:
    suite = """
import pytest

@pytest.mark.bench_start("owned")
@pytest.mark.bench_only("cable")
def test_wired(bench, device):
    bench.led.wait_for_light(device.light("online"))

@pytest.mark.bench_only("lens")
def test_camera(bench):
    pass
"""
    done = run(tmp_path, "--bench-profile", "nvr", "-rs", "--strict-markers", test_it=suite)
    assert "1 passed, 1 skipped" in done.stdout, done.stdout
    assert "this device has no lens" in done.stdout
    done = run(tmp_path, "-rs", test_it=suite)
    assert "this device has no socket for a cable" in done.stdout


@pytest.mark.parametrize(
    ("profile", "outcome"),
    [("ipc-red-green", "6 passed, 1 skipped"), ("nvr", "4 passed, 3 skipped")],
)
def test_the_example_suite_passes_in_virtual_time(
    tmp_path: Path, profile: str, outcome: str
) -> None:
    done = run(tmp_path, "--bench-profile", profile, str(EXAMPLE))
    assert outcome in done.stdout, done.stdout + done.stderr


def test_a_device_of_the_users_own_is_on_the_bench(tmp_path: Path) -> None:
    suite = """
import pytest
from fleet.hil.device_model import Model

@pytest.fixture
def device():
    return Model("nvr")

def test_it_is_there(bench, device):
    assert device.wired
    with pytest.raises(Exception, match="no lens"):
        bench.camera

@pytest.mark.bench_only("lens")
def test_skipped(bench):
    pass
"""
    done = run(tmp_path, test_it=suite)
    assert "1 passed, 1 skipped" in done.stdout, done.stdout + done.stderr


def test_marks_that_say_nothing_are_refused_in_words(tmp_path: Path) -> None:
    suite = """
import pytest

@pytest.mark.bench_only("camera")
def test_part(bench):
    pass

@pytest.mark.bench_start
def test_start(bench):
    pass
"""
    done = run(tmp_path, test_it=suite)
    assert "bench_only('camera'): there are lens, cable" in done.stdout
    assert "bench_start takes one word, as bench_start('owned')" in done.stdout
    assert "Traceback" not in done.stdout
    assert "2 errors" in done.stdout
