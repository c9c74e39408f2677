"""The rules of the house, as tests: rooms, sizes, docstrings, mirrors, and what must not be there.

The walls between the rooms are import-linter's business (see pyproject.toml).
"""

import ast
import fnmatch
import os
import re
import socket
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("firmware_sim", "fleet", "hw_profiles")
ROOMS = {*PACKAGES, "tests", "tools"}
PAPERS = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FUNCTION_LINES_MEDIAN = 10

# Modules, or folders of them, that have no test file of their own, and where they are tested.
TESTED_ELSEWHERE = {
    "firmware_sim/device/lifecycle.py": "tests/device/test_machine.py",
    "firmware_sim/device/signals.py": "tests/device/test_machine.py",
    "firmware_sim/device/states.py": "tests/device/test_machine.py",
    "firmware_sim/events.py": "tests/device/test_device.py",
    "firmware_sim/node.py": "tests/device/test_device.py",
    "fleet/__main__.py": "tests/test_structure.py",
    "fleet/app/lan_client.py": "tests/live/test_lan_client_live.py",
    "fleet/hil/example": "tests/live/hil/test_example_suite.py",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_ignored(path: Path) -> bool:
    """Read .gitignore as git does, as far as it goes: names anywhere, or /names at the top."""
    lines = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
    return any(
        fnmatch.fnmatch(f"/{name(path)}", f"*/{line}" if "/" not in line else line)
        for line in [*lines, ".git"]
    )


@cache
def files() -> tuple[Path, ...]:
    """Return every file of the project, in order; what git ignores is not part of it."""

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if not is_ignored(path):
                yield from walk(path) if path.is_dir() else [path]

    return tuple(walk(ROOT))


def python_files(*rooms: str) -> list[Path]:
    return [p for p in files() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in rooms]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield where each function is, and its length in lines from `def` on."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            assert node.end_lineno is not None
            yield f"{name(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


# --- rooms --------------------------------------------------------------------------------------


def test_only_the_rooms_and_their_papers_are_at_the_top() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {entry for entry in top if not entry.startswith(".")} == ROOMS | PAPERS


def test_git_ignores_no_source() -> None:
    everything = {path for room in PACKAGES for path in (ROOT / room).rglob("*.py")}
    assert everything - set(files()) == set()


def test_every_module_has_its_place_in_the_layers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["id"] == "rooms")
    placed = {room for layer in layers for room in re.findall(r"[\w.]+", layer)}
    modules = {p.relative_to(ROOT).with_suffix("").parts[:2] for p in python_files(*PACKAGES)}
    homeless = {".".join(parts) for parts in modules if parts[-1] != "__init__"} - placed
    assert {module for module in homeless if module.split(".")[0] not in placed} == set()


def test_run_bits_are_on_scripts_only() -> None:
    scripts = {name(path) for path in files() if path.read_bytes()[:2] == b"#!"}
    runnable = {name(path) for path in files() if os.access(path, os.X_OK)}
    assert runnable == scripts
    assert scripts >= {"tools/fleet", "tools/test", ".ci/run"}
    assert {script.split("/")[0] for script in scripts} <= {"tools", ".ci"}


def test_packages_ship_their_types() -> None:
    assert [p for p in PACKAGES if not (ROOT / p / "py.typed").is_file()] == []


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_file_fits_a_sitting(room: str) -> None:
    lengths = {name(path): len(text_of(path).splitlines()) for path in python_files(room)}
    assert {path: n for path, n in lengths.items() if n > FILE_LINES_MAX} == {}


def page_files() -> list[Path]:
    """Return what browsers run and read, without what others have written."""
    kinds = {".js", ".css", ".html"}
    return [path for path in files() if path.suffix in kinds and "vendor" not in path.parts]


def test_files_of_pages_fit_a_sitting_too() -> None:
    lengths = {name(path): len(text_of(path).splitlines()) for path in page_files()}
    assert len(lengths) > 40
    assert {path: n for path, n in lengths.items() if n > FILE_LINES_MAX} == {}


# What would make markup of a text, or be forbidden by our own policy for pages.
UNSAFE = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|<script>| style=\""


def test_pages_make_no_markup_of_texts() -> None:
    assert [name(path) for path in page_files() if re.search(UNSAFE, text_of(path))] == []


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_function_fits_a_screen(room: str) -> None:
    lengths = dict(pair for path in python_files(room) for pair in functions(path))
    assert {where: n for where, n in lengths.items() if n > FUNCTION_LINES_MAX} == {}


def test_most_functions_are_a_few_lines() -> None:
    lengths = [length for path in python_files(*PACKAGES) for _, length in functions(path)]
    assert statistics.median(lengths) < FUNCTION_LINES_MEDIAN


# --- words --------------------------------------------------------------------------------------


def test_every_module_says_what_it_is() -> None:
    modules = python_files(*PACKAGES, "tools")
    assert [name(p) for p in modules if not ast.get_docstring(tree(p))] == []


def undocumented(body: list[ast.stmt], where: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield f"{where}.{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, f"{where}.{node.name}")


def test_everything_public_says_what_it_does() -> None:
    found = [u for p in python_files(*PACKAGES) for u in undocumented(tree(p).body, name(p))]
    assert found == []


# Each pattern is written so that it does not match itself.
FORBIDDEN = {
    "an open end": r"\b(TO[D]O|FIX[M]E|X[X]X)\b",
    "a path of somebody's machine": r"(?<!\d)/(wo[r]k|ro[o]t|ho[m]e)/\w",
    "a package index": r"\b(p[y]pi\.org|pythonho[s]ted\.org)",
    "notes that are not part of the repository": r"\.\./sha[r]ed|house\.m[d]|\bsha[r]ed/",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_contains(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


# --- tests --------------------------------------------------------------------------------------


def mirrors(path: Path) -> set[str]:
    """Return where the tests of a module may be: its place below tests/ or below tests/live/."""
    top, *rooms = path.relative_to(ROOT).parts[:-1]
    rooms = [top] if top == "hw_profiles" else rooms
    return {"/".join([base, *rooms, f"test_{path.name}"]) for base in ("tests", "tests/live")}


def test_every_module_has_its_test_file() -> None:
    tests = {name(path) for path in python_files("tests")}
    modules = [path for path in python_files(*PACKAGES) if path.name != "__init__.py"]
    elsewhere = {p for p in modules if {name(p), name(p.parent)} & set(TESTED_ELSEWHERE)}
    assert [name(p) for p in modules if p not in elsewhere and not mirrors(p) & tests] == []


def test_the_list_of_exceptions_is_true_and_needed() -> None:
    tests = {name(path) for path in python_files("tests")}
    assert set(TESTED_ELSEWHERE.values()) <= tests
    for exempt in TESTED_ELSEWHERE:
        path = ROOT / exempt
        modules = sorted(path.glob("*.py")) if path.is_dir() else [path]
        assert all(module.is_file() for module in modules)
        assert any(not mirrors(module) & tests for module in modules)


@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex", "sendto"])
def test_the_network_is_off(method: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        arguments = [("127.0.0.1", 9)] if method != "sendto" else [b"", ("127.0.0.1", 9)]
        with pytest.raises(pytest.fail.Exception, match="outside a folder named live"):
            getattr(dead, method)(*arguments)


def test_local_sockets_are_not() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"
        with socket.socket(socket.AF_UNIX) as local, pytest.raises(OSError, match="No such file"):
            local.connect("/nowhere/at/all")


# --- weight -------------------------------------------------------------------------------------

HEAVY = {
    "PIL",
    "aiomqtt",
    "asyncio",
    "asyncpg",
    "cryptography",
    "httptools",
    "httpx",
    "numpy",
    "pyzbar",
    "rich",
    "scapy",
    "segno",
    "sqlite3",
    "uvloop",
    "zxingcpp",
}


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"  # a coverage run has loaded things of its own
        "from fleet.__main__ import main; sys.argv = ['fleet', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print('loaded:', *sys.modules.keys() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    help_text, _, loaded = done.stdout.rpartition("loaded:")
    assert "run" in help_text
    assert HEAVY.intersection(loaded.split()) == set()
