from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.run.bridge.member import FILE_SIZE_MAX, Member, load_member, place_in
from fleet.run.population import Network, populate
from fleet.run.scenario import load_scenario
from fleet.run.seeding import seed

GOOD = """
env = "env.yaml"
profile = "ipc-red-green"
uuid = "real0001"
auth_key = "very-secret"
product_id = "realproduct00001"
cloud = "http://127.0.0.1:8480"
[wifi]
ssid = "bench"
password = "also-secret"
"""


def load(tmp_path: Path, text: str) -> Member:
    path = tmp_path / "member.toml"
    path.write_text(text)
    return load_member(path)


def test_a_member_is_read(tmp_path: Path) -> None:
    member = load(tmp_path, GOOD)
    assert member.env == str(tmp_path / "env.yaml")
    assert member.cloud_address == ("127.0.0.1", 8480)
    assert member.wifi == Network("bench", "also-secret")
    assert member.model.wired is False
    assert "secret" not in repr(member)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('uuid = "real0001"', "", "uuid"),
        ('"http://127.0.0.1:8480"', '"https://127.0.0.1:8480"', "http://HOST:PORT"),
        ('"http://127.0.0.1:8480"', '"http://127.0.0.1"', "http://HOST:PORT"),
        ('"http://127.0.0.1:8480"', '"http://127.0.0.1:99999"', "http://HOST:PORT"),
        ('"ipc-red-green"', '"ipc-of-nobody"', "ipc-of-nobody"),
        ("[wifi]", "[radio]", "radio"),
        ('[wifi]\nssid = "bench"\npassword = "also-secret"', "", "table"),
        ('"ipc-red-green"', '"nvr"', "lan"),
        ("env =", "env", "member.toml"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UsageError, match=r"member\.toml") as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_member(tmp_path / "nothing.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * (FILE_SIZE_MAX + 1))
    with pytest.raises(UsageError, match="more than"):
        load_member(tmp_path / "huge.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"bytes\.toml"):
        load_member(tmp_path / "bytes.toml")


def test_it_stands_for_a_device_of_its_model(tmp_path: Path) -> None:
    plan = load_scenario()
    profile = plan.products[0].profile
    member = load(tmp_path, GOOD.replace("ipc-red-green", profile))
    before = populate(plan, 30, 1)
    after = place_in(before, [member])
    [foreign] = [unit for unit in after.units if unit.foreign]
    assert (foreign.uuid, foreign.auth_key) == ("real0001", "very-secret")
    assert foreign.product.profile == profile
    assert foreign.trouble == ""
    assert foreign.product == after.products[-1]
    assert foreign.product.product_id == "realproduct00001"
    others = [unit for unit in before.units if unit.index != foreign.index]
    assert [unit for unit in after.units if not unit.foreign] == others


def test_the_cloud_knows_it_as_nobodys(tmp_path: Path) -> None:
    plan = load_scenario()
    member = load(tmp_path, GOOD.replace("ipc-red-green", plan.products[0].profile))
    devices = {
        one.uuid: one for one in seed(place_in(populate(plan, 30, 1), [member]), bound=True).devices
    }
    assert devices["real0001"].owner == ""
    assert devices["real0001"].auth_key == "very-secret"
    assert sum(1 for one in devices.values() if one.owner) >= 29


def test_a_scenario_without_its_model_says_which_it_has(tmp_path: Path) -> None:
    plan = load_scenario()
    absent = next(
        name
        for name in ("ipc-one-light", "ipc-new", "ipc-old", "ipc-retry")
        if name not in {product.profile for product in plan.products}
    )
    member = load(tmp_path, GOOD.replace("ipc-red-green", absent))
    with pytest.raises(UsageError, match=plan.products[0].profile):
        place_in(populate(plan, 30, 1), [member])
