from importlib import resources
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_version import LanVersion
from fleet.run.scenario import Home, Lan, Warehouse, built_in_names, load_scenario

BUILT_IN = (resources.files("fleet.run") / "scenarios" / "batch-unbind.toml").read_text("utf-8")


def refusal(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_scenario(str(path))
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_the_built_in_scenario_is_what_the_issue_asks_for() -> None:
    scenario = load_scenario()
    assert scenario.devices == 300
    assert {p.name: p.share for p in scenario.products} == {
        "indoor-camera": 110,
        "outdoor-camera": 90,
        "video-recorder": 60,
        "gateway": 40,
    }
    assert [operator.role for operator in scenario.operators] == ["owner", "partner", "after_sale"]
    assert scenario.rebind_every == 3
    assert scenario.batch_max == 30
    assert not scenario.warehouse.ssid.isascii()
    assert scenario.lan == Lan()
    assert {LanVersion.V33, LanVersion.V34, LanVersion.V35} < set(scenario.lan.versions)
    assert set(scenario.expect.refused) == {
        "token_full",
        "account_quota",
        "product_quota",
        "no_permission",
        "token_dead",
        "already_bound",
    }
    assert set(scenario.expect.failed) == {"wifi_password"}


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("devices = 300", "devices = 'x'", "devices: expected `int`, got `str`; allowed: a whole "),
        ("devices = 300", "devices = 0", "devices: expected `int` >= 1; allowed: a whole number"),
        ("devices = 300", "devics = 300", "unknown field `devics`; allowed: keys name, title, dev"),
        ("devices = 300", "devices = 3", "devices: 3 is less than one per product, at least 4"),
        ('role = "owner"', 'role = "boss"', "operators[0].role: invalid enum value 'boss'; allowe"),
        ("token_dead = 2  ", "token_ded = 2", "trouble: object contains unknown field `token_ded`"),
        ('"3.1" = 3,', '"3.6" = 3,', "lan.versions: invalid enum value '3.6'; allowed: 3.1, 3.2, "),
        (
            '"3.1" = 3,',
            '"3.1" = 0,',
            "lan.versions[...]: expected `int` >= 1; allowed: a whole num",
        ),
        ("versions = {", "versions = {} # ", "lan.versions: expected `object` of length >= 1"),
        ("token_dead = 2\nno", "x = 2\nno", "expect.refused: invalid enum value 'x'; allowed: ac"),
        ('name = "gateway"', 'name = "indoor-camera"', "products: the name 'indoor-camera' occurs"),
        ('role = "partner"', 'role = "owner"', "operators: more than one has the role 'owner'"),
        ("Rückläufer Café", "Ж" * 17, "warehouse.ssid: longer than 32 bytes of UTF-8, at most 32"),
        ("devices = 300", "devices =", "not a TOML file: "),
        ("rebind_every = 3", "rebind_every = 0", "trouble.already_bound: needs new owners, rebind"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, before: str, after: str, line: str) -> None:
    assert before in BUILT_IN
    assert line in refusal(tmp_path, BUILT_IN.replace(before, after, 1))


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no scenario 'nonsense'; built in: batch-unbind; or give"
    ):
        load_scenario("nonsense")
    with pytest.raises(UsageError, match="cannot read the scenario: No such file"):
        load_scenario(str(tmp_path / "nothing.toml"))
    (tmp_path / "latin.toml").write_bytes('name = "Café"'.encode("latin-1"))
    with pytest.raises(UsageError, match=r"latin.toml: not UTF-8 text \(byte 11\)"):
        load_scenario(str(tmp_path / "latin.toml"))


def test_profiles_are_found_beside_the_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BUILT_IN.replace('"nvr"', '"./my-nvr.toml"'), encoding="utf-8")
    profiles = [product.profile for product in load_scenario(str(path)).products]
    assert profiles == ["ipc-red-green", "ipc-red-green", f"{tmp_path}/my-nvr.toml", "gateway"]


def test_built_in_names() -> None:
    assert built_in_names() == ("batch-unbind",)


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(Warehouse("net", "secret-secret"))
    assert repr(Home()) == "Home(join_ms=300)"
