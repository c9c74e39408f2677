"""The catalogue: the built-in models are whole, and each mistake in a file is one clear line."""

from pathlib import Path

import pytest

from firmware_sim.device.profile import ActivationError, Kind
from firmware_sim.errors import UsageError
from hw_profiles import catalog

GOOD = """
title = "A camera"
extends = "red-green"
kind = "camera"
category = "sp"
pairing = "qr"
"""


@pytest.mark.parametrize("name", catalog.names())
def test_built_in_models_are_whole(name: str) -> None:
    profile = catalog.load(name)
    assert profile.name == name
    assert profile.title
    for light, pattern in profile.indicator.items():
        assert pattern.source, light


def test_all_five_kinds_are_there() -> None:
    assert {catalog.load(name).kind for name in catalog.names()} == set(Kind)


def write(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_file_overrides_its_base(tmp_path: Path) -> None:
    extra = """
[firmware]
activation_error = "retry"
[indicator]
waiting = { mode = "solid", colours = ["white"], source = "our choice" }
"""
    profile = catalog.load(write(tmp_path, GOOD + extra))
    assert profile.name == "mine"
    assert profile.firmware.activation_error is ActivationError.RETRY
    assert profile.indicator["waiting"].colours == ("white",)
    assert profile.indicator["online"].colours == ("green",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title = ", "not TOML"),
        (GOOD.replace('"camera"', '"toaster"'), "kind: .*allowed: camera, nvr, dvr, base_station"),
        (GOOD + "colour = 1", "colour.*allowed: keys name, title, kind"),
        (GOOD + "[timings]\nboot_s = 1", "timings: .*boot_s.*allowed: keys boot_ms"),
        (GOOD + '[timings]\nboot_ms = "2"', "timings.boot_ms: expected `int`"),
        (GOOD + "[timings]\nboot_ms = -2", "timings: boot_ms must be above 0"),
        (GOOD.replace("red-green", "disco"), "extends: no base 'disco'; allowed: blue-red, "),
        (GOOD.replace('extends = "red-green"', "extends = 3"), "extends: no base 3"),
        (GOOD.replace('extends = "red-green"', ""), "missing required field `indicator`"),
        (GOOD + '[indicator]\noff = { mode = "dim", source = "" }', "allowed: off, solid, blink"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, fault: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=fault) as caught:
        catalog.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_unknown_models_and_absent_files() -> None:
    with pytest.raises(UsageError, match="no profile 'ipc'; allowed: base-station, dvr"):
        catalog.load("ipc")
    with pytest.raises(UsageError, match=r"absent\.toml: cannot be read: No such file"):
        catalog.load("absent.toml")
