"""tools/fleet and tools/test with a stand-in for Python, so that nothing is installed.

The stand-in writes down how it was called, and does what the launchers look at: it makes the
files of a virtual environment, and `pip install` leaves a command `fleet` behind. Files in the
folder `wish` tell it what should go wrong.
"""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PYTHON = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
wish() { [ -e "$here/wish/$1" ]; }
case "$*" in
--version) echo "Python 3.11.7" ;;
*find_spec* | *sysconfig*) ;;
*"import pip") wish no-ensurepip && exit 1 ;;
*pyzbar*) echo "zbar?" >>"$here/calls"; wish no-zbar && exit 1 ;;
*"-m venv"*)
    echo "$*" >>"$here/calls"
    for venv; do :; done
    mkdir -p "$venv/bin" && ln -sf "$here/python3" "$venv/bin/python" && touch "$venv/pyvenv.cfg"
    wish no-ensurepip && [ "$3" != --without-pip ] && echo "no ensurepip" && exit 1
    echo "VIRTUAL_ENV='$venv'" >"$venv/bin/activate" ;;
*" install "*)
    echo "$*" >>"$here/calls"
    wish slow && sleep 0.3
    wish pip-killed && kill -KILL $$
    wish pip-fails && seq 1 40 && echo "no route to the index" && exit 1
    cp "$here/tool" "$here/checkout dir/.venv/bin/fleet"
    cp "$here/tool" "$here/checkout dir/.venv/bin/ruff"
    cp "$here/tool" "$here/checkout dir/.venv/bin/lint-imports" ;;
*)
    echo "$*"
    wish "fails-$2" && exit 1 ;;
esac
exit 0
"""

TOOL = """#!/bin/sh
echo "$(basename "$0") in $PWD decoder ${FLEET_DECODER-unset}:$(printf ' <%s>' "$@")"
! [ -e "$(dirname "$0")/../../../wish/fails-$1" ]
"""

NOTHING = "#!/bin/sh\nexit 1\n"

APT = """#!/bin/sh
echo "apt-get $*" >>"$(dirname "$0")/calls"
case "$*" in *install*) rm -f "$(dirname "$0")/wish/no-zbar" ;; esac
"""

PYTEST = "-m pytest -n auto --cov --cov-report=term"


class Place:
    """A checkout in a folder with a space, on a machine that has the stand-ins and little else."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.checkout = base / "checkout dir"
        self.venv = self.checkout / ".venv"
        self.home = base / "home"
        for folder in (self.checkout, self.home, base / "wish"):
            folder.mkdir(parents=True)
        shutil.copytree(ROOT / "tools", self.checkout / "tools")
        shutil.copy(ROOT / "pyproject.toml", self.checkout)
        self.program("python3", PYTHON)
        for minor in (11, 12, 13, 14):
            self.program(f"python3.{minor}", NOTHING)
        self.program("tool", TOOL)
        self.program("id", "#!/bin/sh\necho 1000\n")
        for program in ("ip", "pg_createcluster", "mosquitto", "mosquitto_sub"):
            self.program(program, NOTHING)

    def program(self, name: str, text: str) -> None:
        path = self.base / name
        path.write_text(text)
        path.chmod(0o755)

    def wish(self, name: str, *, on: bool = True) -> None:
        if on:
            (self.base / "wish" / name).touch()
        else:
            (self.base / "wish" / name).unlink(missing_ok=True)

    def start(
        self, *words: str, launcher: str | Path = "fleet", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        path = self.checkout / "tools" / launcher
        env = {"PATH": f"{self.base}:/usr/bin:/bin", "HOME": str(self.home), **environment}
        return subprocess.run(
            [str(path), *words],
            cwd=self.home,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self) -> list[str]:
        """Return what was asked of the stand-ins since the last time."""
        path = self.base / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def test_the_first_start_makes_everything_and_runs_the_command(place: Place) -> None:
    done = place.start("run", "--devices", "3 4", "")
    assert done.returncode == 0
    assert done.stdout == f"fleet in {place.home} decoder unset: <run> <--devices> <3 4> <>\n"
    assert place.calls() == [f"-m venv {place.venv}", "-m pip install --editable .", "zbar?"]
    assert [line.split()[:2] for line in done.stderr.splitlines()] == [
        ["setup:", "making"],
        ["setup:", "installing"],
    ]


def test_the_second_start_says_nothing_and_starts_no_python(place: Place) -> None:
    place.start()
    place.calls()
    place.program("python3", NOTHING)
    again = place.start("doctor")
    assert (again.returncode, again.stderr, place.calls()) == (0, "", [])
    assert again.stdout.endswith("<doctor>\n")


def test_a_link_to_the_launcher_finds_its_checkout(place: Place) -> None:
    link = place.home / "fleet-link"
    link.symlink_to(place.checkout / "tools" / "fleet")
    assert place.start("--help", launcher=link).stdout.endswith("<--help>\n")
    assert place.venv.is_dir()


@pytest.mark.parametrize(
    ("old", "new", "installs"),
    [('version = "0', 'version = "9', 1), ("line-length = 1", "line-length = 2", 0)],
)
def test_only_what_pip_reads_of_the_project_file_counts(
    place: Place, old: str, new: str, installs: int
) -> None:
    place.start()
    place.calls()
    project = place.checkout / "pyproject.toml"
    project.write_text(project.read_text().replace(old, new))
    assert place.start().returncode == 0
    assert place.calls().count("-m pip install --editable .") == installs


def test_a_damaged_stamp_means_install_again_into_the_same_environment(place: Place) -> None:
    place.start()
    place.calls()
    (place.venv / "done-run").write_text("half a st")
    assert place.start().returncode == 0
    assert place.calls() == ["-m pip install --editable .", "zbar?"]
    assert place.start().stderr == ""


def test_a_checkout_that_was_moved_gets_a_new_environment(place: Place) -> None:
    place.start()
    place.calls()
    (place.venv / "bin" / "activate").write_text("VIRTUAL_ENV='/somewhere/else'")
    (place.venv / "done-run").unlink()
    place.start()
    assert place.calls()[0] == f"-m venv {place.venv}"


def test_a_failing_pip_shows_its_last_lines_and_what_to_do(place: Place) -> None:
    place.wish("pip-fails")
    failed = place.start("run")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "\n40\nno route to the index\nsetup: pip failed: check the network" in failed.stderr
    assert "\n25\n" not in failed.stderr
    place.wish("pip-fails", on=False)
    place.calls()
    assert place.start("run").returncode == 0
    assert place.calls()[0] == "-m pip install --editable ."


def test_after_a_killed_install_nothing_there_is_trusted(place: Place) -> None:
    place.start()
    (place.venv / "done-run").unlink()
    place.wish("pip-killed")
    assert place.start("run").returncode == 1
    place.wish("pip-killed", on=False)
    place.calls()
    assert place.start("run").returncode == 0
    assert place.calls()[0] == f"-m venv {place.venv}"


def test_without_ensurepip_the_pip_outside_fills_the_environment(place: Place) -> None:
    place.wish("no-ensurepip")
    assert place.start().returncode == 0
    assert place.calls()[:3] == [
        f"-m venv {place.venv}",
        f"-m venv --without-pip {place.venv}",
        f"-m pip --python {place.venv}/bin/python install --editable .",
    ]


def test_an_old_python_is_passed_over(place: Place) -> None:
    place.program("python3.12", (place.base / "python3").read_text())
    place.program("python3", NOTHING)
    assert "making .venv with Python 3.11.7" in place.start().stderr


def test_no_python_at_all_is_one_line(place: Place) -> None:
    place.program("python3", NOTHING)
    failed = place.start()
    assert failed.returncode == 1
    assert failed.stderr.startswith("setup: needs Python 3.11 or newer with pip; on Debian: ")
    assert failed.stderr.count("\n") == 1


def test_without_libzbar_a_user_is_told_and_goes_on_with_zxing(place: Place) -> None:
    place.wish("no-zbar")
    done = place.start("run")
    assert done.stdout == f"fleet in {place.home} decoder zxing: <run>\n"
    assert last_line(done.stderr).endswith("as root: apt-get install -y libzbar0")
    assert not [call for call in place.calls() if call.startswith("apt-get")]
    assert "decoder pyzbar:" in place.start(FLEET_DECODER="pyzbar").stdout
    place.wish("no-zbar", on=False)
    later = place.start("run")
    assert ("decoder unset:" in later.stdout, later.stderr) == (True, "")


def test_without_libzbar_root_installs_it(place: Place) -> None:
    place.wish("no-zbar")
    place.program("id", "#!/bin/sh\necho 0\n")
    place.program("apt-get", APT)
    done = place.start("run")
    assert done.stdout == f"fleet in {place.home} decoder unset: <run>\n"
    apt = [call for call in place.calls() if call.startswith("apt-get")]
    assert [call.split()[-1] for call in apt] == ["update", "libzbar0"]


@pytest.mark.parametrize("zbar", [True, False])
def test_without_ip_root_installs_it_too(place: Place, *, zbar: bool) -> None:
    path = f"{place.base}:{everything_but('ip', place.base / 'elsewhere')}"
    (place.base / "ip").unlink()
    place.program("apt-get", APT)
    place.wish("no-zbar", on=not zbar)
    assert place.start(PATH=path).returncode == 0
    assert not [call for call in place.calls() if call.startswith("apt-get")], "we are not root"
    (place.venv / "done-run").unlink()
    place.program("id", "#!/bin/sh\necho 0\n")
    assert place.start(PATH=path).returncode == 0
    packages = ["iproute2"] if zbar else ["libzbar0", "iproute2"]
    apt = [call.split() for call in place.calls() if call.startswith("apt-get")]
    assert apt[1][-len(packages) - 1 :] == ["--no-install-recommends", *packages]


@pytest.mark.parametrize(
    ("missing", "package"),
    [
        ("pg_createcluster", "postgresql"),
        ("mosquitto", "mosquitto"),
        ("mosquitto_sub", "mosquitto-clients"),
    ],
)
def test_for_the_tests_root_installs_what_they_start(
    place: Place, missing: str, package: str
) -> None:
    (place.base / missing).unlink()
    path = f"{place.base}:{everything_but(missing, place.base / 'elsewhere')}"
    place.program("apt-get", APT)
    place.program("id", "#!/bin/sh\necho 0\n")
    assert place.start(PATH=path).returncode == 0
    assert not [call for call in place.calls() if call.startswith("apt-get")]
    assert place.start(launcher="test", PATH=path).returncode == 0
    apt = [call.split() for call in place.calls() if call.startswith("apt-get")]
    assert apt[1][-2:] == ["--no-install-recommends", package]


def everything_but(name: str, folder: Path) -> Path:
    """Make a folder of links to all usual programs but one."""
    folder.mkdir()
    for program in [*Path("/usr/bin").iterdir(), *Path("/bin").iterdir()]:
        link = folder / program.name
        if program.name != name and not link.is_symlink():
            link.symlink_to(program)
    return folder


def test_apt_that_fails_is_no_reason_to_stop(place: Place) -> None:
    place.wish("no-zbar")
    place.program("id", "#!/bin/sh\necho 0\n")
    place.program("apt-get", "#!/bin/sh\nexit 100\n")
    done = place.start("run")
    assert (done.returncode, done.stdout.split(":")[0][-5:]) == (0, "zxing")
    assert "apt-get failed" in done.stderr


def test_two_first_starts_at_once_install_once(place: Place) -> None:
    place.wish("slow")
    launcher = str(place.checkout / "tools" / "fleet")
    env = {"PATH": f"{place.base}:/usr/bin:/bin"}
    both = [
        subprocess.Popen([launcher, "x"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(out.endswith(b"<x>\n") for out, _ in outputs)
    assert place.calls().count("-m pip install --editable .") == 1


def test_an_interrupt_during_the_install_leaves_no_stamp(place: Place) -> None:
    place.program("sleep", "#!/bin/sh\nkill -INT 0\nexec /bin/sleep 5\n")
    place.wish("slow")
    process = subprocess.Popen(
        [str(place.checkout / "tools" / "fleet")],
        env={"PATH": f"{place.base}:/usr/bin:/bin"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.wait(60) in {-signal.SIGINT, 130}
    assert (place.venv / "unfinished").exists()
    assert not (place.venv / "done-run").exists()


def test_a_place_that_cannot_be_written_is_one_line(place: Place) -> None:
    # A file in the way stops root as well, whom permissions do not.
    place.venv.touch()
    failed = place.start()
    assert (failed.returncode, failed.stderr) == (
        1,
        f"setup: cannot write {place.venv}; use a checkout of your own\n",
    )


def gate(place: Place, *words: str) -> tuple[int, Sequence[str]]:
    done = place.start(*words, launcher="test")
    return done.returncode, done.stdout.splitlines()


def test_the_gate_runs_all_steps_in_order_and_pytest_last(place: Place) -> None:
    code, lines = gate(place)
    steps = ["format", "lint", "types", "walls"]
    assert (code, lines) == (0, [*(f"ok      {step}" for step in steps), PYTEST])
    assert "-m pip install --editable .[test]" in place.calls()


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("fails-format", "format"),
        ("fails-check", "lint"),
        ("fails-mypy", "types"),
        ("fails---no-cache", "walls"),
        ("fails-pytest", "tests"),
    ],
)
def test_one_failing_step_fails_the_gate_after_all_have_run(
    place: Place, wish: str, name: str
) -> None:
    place.wish(wish)
    code, lines = gate(place)
    assert (code, lines[-1]) == (1, f"FAILED: {name}")
    assert PYTEST in lines


def test_with_arguments_only_pytest_runs(place: Place) -> None:
    assert gate(place, "-k", "one or two") == (0, ["-m pytest -k one or two"])


def test_what_the_tests_need_is_enough_for_the_program(place: Place) -> None:
    gate(place)
    place.calls()
    assert place.start().stderr == ""
    assert place.calls() == []


def test_ci_runs_the_same_gate(place: Place) -> None:
    (place.checkout / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", place.checkout / ".ci")
    done = place.start(launcher=place.checkout / ".ci" / "run", CI="true")
    assert last_line(done.stdout) == PYTEST
