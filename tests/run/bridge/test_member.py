from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.run.bridge.member import FILE_SIZE_MAX, Member, load_member, load_members, place_in
from fleet.run.population import Network, populate
from fleet.run.scenario import Trouble, load_scenario
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
        ("[wifi]", 'lan = "192.168.7.1/24"\n[wifi]', "192.168.7.0/24"),
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


def test_a_model_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('title = "Mine"\nextends = ["camera", "red-green"]\n')
    member = load(tmp_path, GOOD.replace("ipc-red-green", "my.toml"))
    plan = load_scenario()
    odd = msgspec.structs.replace(
        plan.products[0], profile=f"{tmp_path}/../{tmp_path.name}/my.toml"
    )
    plan = msgspec.structs.replace(plan, products=(odd, *plan.products[1:]))
    population = place_in(populate(plan, 30, 1), [member])
    [unit] = [unit for unit in population.units if unit.foreign]
    assert population.profile(unit) == member.model
    assert unit.product.name == "my on a bench"


def test_two_benches_stand_for_two_devices(tmp_path: Path) -> None:
    plan = load_scenario()
    profile = plan.products[0].profile
    one = load(tmp_path, GOOD.replace("ipc-red-green", profile))
    two = msgspec.structs.replace(one, uuid="real0002")
    population = place_in(populate(plan, 30, 1), [one, two])
    foreign = [unit for unit in population.units if unit.foreign]
    assert {unit.uuid for unit in foreign} == {"real0001", "real0002"}
    assert len({unit.product for unit in foreign}) == 1
    assert all(unit.new_owner for unit in foreign), "the whole story is played with them"
    other = msgspec.structs.replace(two, profile="nvr", lan="192.168.7.0/24")
    with pytest.raises(UsageError, match="two models"):
        place_in(populate(plan, 30, 1), [one, other])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("real0002", "real0001", "same uuid"),
        ("8480", "8481", r"one cloud, not for 127.0.0.1:8480 and 127.0.0.1:8481"),
    ],
)
def test_what_cannot_be_in_one_run(tmp_path: Path, old: str, new: str, message: str) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(GOOD)
    second = GOOD.replace("real0001", "real0002")
    two.write_text(second)
    assert [member.uuid for member in load_members([one, two])] == ["real0001", "real0002"]
    two.write_text(second.replace(old, new))
    with pytest.raises(UsageError, match=message):
        load_members([one, two])


def test_somebody_has_to_be_simulated(tmp_path: Path) -> None:
    plan = load_scenario()
    member = load(tmp_path, GOOD.replace("ipc-red-green", plan.products[0].profile))
    alone = msgspec.structs.replace(plan, products=plan.products[:1], trouble=Trouble())
    with pytest.raises(UsageError, match="a simulated device besides"):
        place_in(populate(alone, 1, 1), [member])


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
