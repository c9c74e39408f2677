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
POINT = """
[[data_points]]
id = 5
mode = "rw"
type = "obj"
property = { type = "value", min = 1, max = 5 }
initial = 1
"""
CHILD = """
[[children]]
title = "A plug"
category = "cz"
data_points = [
  { id = 1, mode = "rw", type = "obj", property = { type = "bool" }, initial = false },
]
"""
POINT_1 = CHILD.splitlines()[5]
LIGHT = """
[indicator]
waiting = { mode = "blink", colours = ["red"], on_ms = 250, off_ms = 250, source = "our choice" }
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


def test_later_bases_go_over_earlier_ones(tmp_path: Path) -> None:
    text = GOOD.replace('"red-green"', '["red-green", "camera", "one-light"]')
    profile = catalog.load(write(tmp_path, text))
    assert profile.indicator["online"].colours == ("white",)
    assert {103, 134} < {point.id for point in profile.data_points}


def test_what_is_behind_a_gateway(tmp_path: Path) -> None:
    profile = catalog.load(write(tmp_path, GOOD + CHILD + CHILD + "online = false"))
    assert [(child.title, child.online) for child in profile.children] == [
        ("A plug", True),
        ("A plug", False),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title = ", "not TOML"),
        (GOOD.replace('"camera"', '"toaster"'), "kind: .*allowed: camera, nvr, dvr, base_station"),
        (GOOD + "colour = 1", "colour.*allowed: keys name, title, kind"),
        (GOOD + "[timings]\nboot_s = 1", "timings: .*boot_s.*allowed: keys boot_ms"),
        (GOOD + '[timings]\nboot_ms = "2"', "timings.boot_ms: expected `int`"),
        (GOOD + "[timings]\nboot_ms = -2", "timings.boot_ms: .*from 1 to 86400000"),
        (GOOD + "[timings]\nerase_ms = 99999999999999999999", "timings.erase_ms: .*to 86400000"),
        (GOOD + "[timings]\nkeep_alive_s = 70000", "timings.keep_alive_s: .*from 1 to 65535"),
        (GOOD + "[firmware]\nlan_clients_max = 0", "firmware.lan_clients_max: .*from 1 to 1000"),
        (GOOD + '[firmware]\nlan_version = "3.6"', "firmware.lan_version: .*allowed: 3.1, 3.2"),
        (GOOD + '[firmware]\nsoftware_version = "new"', "software_version: .*text like"),
        (GOOD + '[firmware]\ngeneration = "2.4"', "firmware.generation: .*allowed: 2.1, 2.2, 2.3"),
        (GOOD + '[firmware]\nbackoff = "none"', "firmware.backoff: .*allowed: vendor, capped"),
        (GOOD + '[firmware]\nquestions = ["why"]', r"questions\[0\]: .*config, restart_log"),
        (GOOD + "[firmware]\nawaits_token_online = true", "firmware: awaits_token_online takes"),
        (GOOD.replace('"sp"', '""'), "category: .*characters from 1 to 80"),
        (GOOD.replace("red-green", "disco"), "extends: no base 'disco'; allowed: blue-red, "),
        (GOOD.replace('extends = "red-green"', "extends = 3"), "extends: no base 3"),
        (GOOD.replace('"red-green"', '["red-green", "nvr"]'), "extends: no base 'nvr'"),
        (GOOD.replace('"red-green"', '[["wired"]]'), r"extends: no base \['wired'\]"),
        (GOOD + "indicator = 3", "indicator: expected `object`"),
        (GOOD + "data_points = [{ id = 300 }]", r"data_points\[0\].id: .*from 1 to 255"),
        (GOOD + POINT + POINT, "data_points: id 5 comes 2 times"),
        (GOOD + CHILD.replace("A plug", ""), r"children\[0\].title: .*characters from 1 to 80"),
        (GOOD + CHILD.replace("[\n", "[" + 2 * POINT_1), r"children\[0\]: .*id 1 comes 3 times"),
        (GOOD + 17 * CHILD, "children: .*length <= 16"),
        (GOOD + POINT.replace("initial = 1", "initial = 9"), "initial: data point 5 takes no more"),
        (GOOD + POINT.replace(", max = 5", ""), "property: type value takes min and max"),
        (GOOD + POINT.replace("max = 5", "max = 3e9"), "property.max: expected `int"),
        (GOOD + POINT.replace("max = 5", "max = 3000000000"), "property.max: .*<= 2147483647"),
        (GOOD + POINT.replace("obj", "raw"), "type raw takes none"),
        (
            GOOD + LIGHT.replace("red", "mauve"),
            r"indicator\.waiting\.colours\[0\]: .*'mauve'; allowed: amber",
        ),
        (
            GOOD + LIGHT.replace("250", "0"),
            "indicator.waiting: .*mode blink: on_ms and off_ms are for blink",
        ),
        (
            GOOD + LIGHT.replace("our choice", ""),
            r"indicator\.waiting\.source: .*characters from 1",
        ),
        (GOOD + 'second_light = ["pink"]', r"second_light\[0\]: .*'pink'; allowed: amber"),
        (GOOD + LIGHT.replace("250", "99999"), "on_ms: .*from 0 to 60000"),
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


def test_one_sub_device_may_stand_for_several(tmp_path: Path) -> None:
    profile = catalog.load(write(tmp_path, GOOD + CHILD + "count = 3\n" + CHILD))
    titles = [child.title for child in profile.children]
    assert titles == ["A plug 1", "A plug 2", "A plug 3", "A plug"]
    assert len({child.data_points for child in profile.children}) == 1


@pytest.mark.parametrize("count", ["0", "17", "true", '"3"', "1.5"])
def test_how_many_it_may_stand_for(tmp_path: Path, count: str) -> None:
    with pytest.raises(UsageError, match=r"children\.count: takes a number from 1 to 16"):
        catalog.load(write(tmp_path, f"{GOOD}{CHILD}count = {count}\n"))


@pytest.mark.parametrize("name", ["nvr", "nvr-label", "dvr"])
def test_recorders_have_channels(name: str) -> None:
    channels = catalog.load(name).children
    assert [channel.title for channel in channels] == [f"Channel {n}" for n in range(1, 5)]
    assert {(channel.type, channel.uddd) for channel in channels} == {(0, 0x2000000)}
    assert all(channel.product_id for channel in channels)
