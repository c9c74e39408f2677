"""The papers do not lie: their paths exist, their commands answer, the picture shows the walls."""

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAPERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
TOP = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._")
GROUPS = ("app", "bench", "cloud", "lan", "lens")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line]


# --- paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", PAPERS)
def test_every_path_exists(paper: str) -> None:
    text = (ROOT / paper).read_text()
    quoted = re.findall(rf"`((?:{TOP}|\.\w+)/[^`\s<*]*)`", text)
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert [path for path in quoted + linked if not (ROOT / path).exists()] == []
    assert quoted + linked or paper == "CHANGELOG.md"


# --- the picture --------------------------------------------------------------------------------


def picture() -> list[list[str]]:
    """Return the layers as drawn: `a.b | c` stands for a.b and a.c."""
    drawn = []
    for line in blocks("text")[0].splitlines():
        if line.startswith(" "):
            names = re.split(r" [|:] ", re.split(r" {2,}", line.strip())[0])
            package = names[0].rpartition(".")[0]
            drawn.append([names[0], *(f"{package}.{name}" for name in names[1:])])
    return drawn


def contract() -> list[list[str]]:
    """Return the layers that import-linter checks, without rooms that do not exist yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["id"] == "rooms")
    split = [re.split(r" [|:] ", layer) for layer in layers]
    built = [[n.strip("()") for n in names if n[0] != "(" or exists(n)] for names in split]
    return [names for names in built if names]


def exists(module: str) -> bool:
    path = ROOT / module.strip("()").replace(".", "/")
    return (path / "__init__.py").is_file() or path.with_suffix(".py").is_file()


def test_the_picture_shows_the_layers_of_the_import_contract() -> None:
    assert picture() == contract()


# --- commands -----------------------------------------------------------------------------------


@cache
def help_of(words: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fleet", *words, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_two_commands_are_there() -> None:
    assert {words[0] for words in commands()} == {"tools/fleet", "tools/test"}


@pytest.mark.parametrize(
    "words", [w[1:] for w in commands() if w[0] == "tools/fleet"], ids=" ".join
)
def test_every_command_and_option_exists(words: list[str]) -> None:
    depth = 2 if words[0] in GROUPS else 1
    text = help_of(tuple(words[:depth]))
    assert [word for word in words[depth:] if word.startswith("--") and word not in text] == []


@pytest.mark.parametrize("model", [words[2] for words in commands() if words[1:2] == ["device"]])
def test_every_device_model_exists(model: str) -> None:
    assert (ROOT / "hw_profiles" / f"{model}.toml").is_file()


@pytest.mark.parametrize("paper", ["README.md", "CONTRIBUTING.md"])
def test_every_command_in_the_text_exists(paper: str) -> None:
    named = set(re.findall(r"`fleet ([a-z]+)(?: ([a-z]+))?", (ROOT / paper).read_text()))
    for command, sub in named:
        help_of((command, sub) if command in GROUPS and sub else (command,))
