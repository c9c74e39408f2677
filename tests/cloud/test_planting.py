"""Planted seeds: a cloud that begins with people and devices; one clear line for each mistake."""

import re

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.permissions import Permission
from fleet.cloud.planting import plant
from fleet.cloud.quotas import Scope
from fleet.cloud.seed import (
    AccountSeed,
    DeviceSeed,
    HomeSeed,
    LimitSeed,
    MemberSeed,
    ProductSeed,
    ProjectSeed,
    Seed,
    UserSeed,
)

from .support import CAMERA, OWNER, REPAIR, SETTINGS, STRANGER, World, assert_reloads, seed

SMALL = Seed(
    accounts=(AccountSeed(name="maker"),),
    users=(UserSeed(uid="u1", name="user"),),
    products=(ProductSeed(product_id="pid", name="Camera", category="sp", owner="maker"),),
    limits=(LimitSeed(scope=Scope.PRODUCT, name="pid", limit=500),),
    devices=(
        DeviceSeed(uuid="d1", auth_key="0123456789abcdef", product_id="pid"),
        DeviceSeed(
            uuid="d2",
            auth_key="0123456789abcdef",
            product_id="pid",
            dev_id="bf2",
            sec_key="0123456789abcdef",
            local_key="fedcba9876543210",
            owner="u1",
        ),
    ),
)


def test_a_cloud_from_a_seed() -> None:
    world = World(start=SMALL)
    state = world.state
    assert [d.uuid for d in state.devices.owned_by("u1")] == ["d2"]
    fresh = state.devices.get("d1")
    assert fresh is not None
    assert (fresh.bound, fresh.live) == (False, False)
    assert [q.limit for q in state.quotas.all()] == []
    assert not world.cloud.empty
    assert_reloads(world)


def test_everything_of_the_big_seed_is_there() -> None:
    world = World()
    state = world.state
    product = state.products.get(CAMERA)
    assert product is not None
    assert state.accounts.may_unbind(REPAIR, product).allowed
    assert not state.accounts.may_unbind(STRANGER, product).allowed
    assert not state.accounts.may(Permission.ORDER, REPAIR, product).allowed
    assert len(state.devices) == 4
    assert len(state.users) == 6
    assert world.commits == 1
    assert_reloads(world)


def test_a_cloud_is_seeded_once() -> None:
    world = World()
    with pytest.raises(UsageError, match="not empty"):
        world.cloud.apply_seed(Seed(), world.now_ms)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"accounts": 2}, "accounts[1]: name_taken"),
        ({"users": 2}, "users[1]: there is a user uid0 already"),
        ({"products": 2}, f"products[1]: there is a product {CAMERA} already"),
        ({"devices": 2}, "devices[1]: there is a device uuid0000 already"),
        ({"accounts": 0}, f"products[0]: there is no account {OWNER}"),
        ({"accounts": 0, "products": 0}, f"roles[0]: there is no account {OWNER}"),
        ({"products": 0, "grants": 0}, f"devices[0]: there is no product {CAMERA}"),
        ({"users": 0}, "devices[0]: there is no user uid0"),
        ({"products": 0}, "grants[0]: no_permission"),
    ],
)
def test_what_contradicts_itself(change: dict[str, int], complaint: str) -> None:
    """Each list is left out (0), or repeats its first entry (2)."""
    start = seed()
    for name, count in change.items():
        rows = getattr(start, name)
        rows = (rows[0], *rows) if count == 2 else ()
        start = msgspec.structs.replace(start, **{name: rows})
    with pytest.raises(UsageError, match=f"^seed: {re.escape(complaint)}") as told:
        World(start=start)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("lacking", ["owner", "dev_id", "sec_key", "local_key"])
def test_a_device_is_bound_in_full_or_not_at_all(lacking: str) -> None:
    start = seed(1)
    half = msgspec.structs.replace(start.devices[0], **{lacking: ""})
    with pytest.raises(UsageError, match="all or none"):
        World(start=msgspec.structs.replace(start, devices=(half,)))


def test_a_device_id_belongs_to_one_device() -> None:
    start = seed(2)
    twin = msgspec.structs.replace(start.devices[1], dev_id=start.devices[0].dev_id)
    with pytest.raises(UsageError, match=r"devices\[1\]: there is a device with the id bf"):
        World(start=msgspec.structs.replace(start, devices=(start.devices[0], twin)))


def test_a_limit_beyond_reason() -> None:
    high = LimitSeed(scope=Scope.PRODUCT, name="pid", limit=5_000_000)
    start = msgspec.structs.replace(SMALL, limits=(high,))
    with pytest.raises(UsageError, match="a limit lies in"):
        World(SETTINGS, start)


@pytest.mark.parametrize(
    ("rows", "changes", "complaint"),
    [
        ("devices", {"uuid": "a b"}, r"^seed: devices\[0\].uuid: Expected"),
        ("devices", {"auth_key": "short"}, r"^seed: devices\[0\].auth_key: "),
        ("products", {"name": ""}, r"^seed: products\[0\].name: "),
        ("limits", {"limit": "many"}, r"^seed: limits\[0\].limit: "),
    ],
)
def test_what_no_device_or_person_could_have(
    rows: str, changes: dict[str, str], complaint: str
) -> None:
    first, *others = getattr(SMALL, rows)
    wrong = (msgspec.structs.replace(first, **changes), *others)
    with pytest.raises(UsageError, match=complaint):
        World(start=msgspec.structs.replace(SMALL, **{rows: wrong}))


# --- projects, and more about devices -------------------------------------------------------------

PROJECT = ProjectSeed(
    access_id="id", secret="0123456789abcdef01234567", owner="maker", name="shop", regions=("EU",)
)


def test_a_project_calls_from_the_first_second_on() -> None:
    world = World(start=msgspec.structs.replace(SMALL, projects=(PROJECT,)))
    project = world.state.projects.get("id")
    assert project is not None
    assert (project.owner, project.regions, project.families) == ("maker", ("EU",), ("*",))
    assert_reloads(world)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"owner": "nobody"}, "there is no account nobody"),
        ({"regions": ("EU", "XY")}, "XY is no data centre: AY, AZ, "),
        ({"families": ("devices", "toasters")}, "families are *, "),
        ({"allowed_ips": ("10.0.0.0/8", "home")}, "'home' is neither an address nor a network"),
    ],
)
def test_a_project_that_cannot_be(changes: dict[str, object], complaint: str) -> None:
    wrong = msgspec.structs.replace(PROJECT, **changes)
    with pytest.raises(UsageError, match=re.escape(f"projects[0]: {complaint}")):
        World(start=msgspec.structs.replace(SMALL, projects=(wrong,)))


def test_a_device_has_a_name_a_place_and_values() -> None:
    fresh, bound = SMALL.devices
    there = {"region": "IN", "time_zone": "+05:30", "name": "Desk", "dps": '{"1": true}'}
    bound = msgspec.structs.replace(bound, **there)
    child = msgspec.structs.replace(fresh, gateway="bf2", node_id="n1")
    world = World(start=msgspec.structs.replace(SMALL, devices=(bound, child)))
    device = world.state.devices.get("d2")
    assert device is not None
    assert (device.region, device.time_zone, device.name) == ("IN", "+05:30", "Desk")
    assert device.created_ms == device.updated_ms == device.activated_ms == world.now_ms
    assert world.state.data_points.get("bf2") == {"1": msgspec.Raw(b"true")}
    assert [one.uuid for one in world.state.devices.behind("bf2")] == ["d1"]
    assert_reloads(world)


@pytest.mark.parametrize(
    ("index", "changes", "complaint"),
    [
        (1, {"region": "XY"}, "devices[1]: XY is no data centre"),
        (1, {"dps": "on"}, "devices[1]: JSON"),
        (0, {"dps": '{"1": true}'}, "devices[0]: a device that is nobody's has no values"),
        (0, {"gateway": "bf2"}, "devices[0]: name the gateway before it"),
        (1, {"time_zone": "UTC"}, "devices[1].time_zone: "),
    ],
)
def test_a_device_that_cannot_be(index: int, changes: dict[str, str], complaint: str) -> None:
    devices = list(SMALL.devices)
    devices[index] = msgspec.structs.replace(devices[index], **changes)
    with pytest.raises(UsageError, match=f"^seed: {re.escape(complaint)}"):
        World(start=msgspec.structs.replace(SMALL, devices=tuple(devices)))


def test_more_can_be_planted_later_and_mistakes_are_told_of_their_source() -> None:
    world = World(start=SMALL)
    plant(world.state, Seed(accounts=(AccountSeed(name="partner"),)), world.now_ms)
    assert "partner" in world.state.accounts
    with pytest.raises(UsageError, match=r"^shop.toml: users\[0\]: there is a user u1 already"):
        plant(world.state, Seed(users=SMALL.users), world.now_ms, "shop.toml")


# --- homes ----------------------------------------------------------------------------------------

FAMILY = Seed(
    accounts=SMALL.accounts,
    users=(*SMALL.users, UserSeed(uid="u2", name="guest")),
    homes=(
        HomeSeed(owner="u1", name="House", rooms=("Hall",)),
        HomeSeed(
            owner="u1",
            name="Shop",
            members=(MemberSeed(uid="u2", name="Guest"),),
        ),
    ),
    products=SMALL.products,
    devices=SMALL.devices,
)


def test_people_live_in_homes_and_devices_are_in_them() -> None:
    bound = msgspec.structs.replace(FAMILY.devices[1], home="Shop")
    world = World(start=msgspec.structs.replace(FAMILY, devices=(bound,)))
    house, shop = world.state.homes.of_user("u1")
    assert [room.name for room in house.rooms] == ["Hall"]
    assert (shop.role("u1"), shop.role("u2")) == ("owner", "member")
    device = world.state.devices.get("d2")
    assert device is not None
    assert device.home == shop.home_id
    assert_reloads(world)


def test_a_member_may_be_an_administrator() -> None:
    members = (MemberSeed(uid="u2", name="Guest", admin=True),)
    home = msgspec.structs.replace(FAMILY.homes[0], members=members)
    world = World(start=msgspec.structs.replace(FAMILY, homes=(home,)))
    (house,) = world.state.homes.of_user("u2")
    assert house.role("u2") == "admin"


def test_a_device_without_a_home_is_in_its_owners_first() -> None:
    world = World(start=msgspec.structs.replace(FAMILY, homes=()))
    (made,) = world.state.homes.of_user("u1")
    device = world.state.devices.get("d2")
    assert device is not None
    assert device.home == made.home_id


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"owner": "u9"}, "homes[1]: there is no user u9"),
        ({"name": "House"}, "homes[1]: u1 has a home House already"),
        ({"members": (MemberSeed(uid="u9", name="x"),)}, "homes[1]: there is no user u9"),
        ({"members": (MemberSeed(uid="u1", name="x"),)}, "homes[1]: the owner is no member"),
    ],
)
def test_a_home_that_cannot_be(changes: dict[str, object], complaint: str) -> None:
    wrong = msgspec.structs.replace(FAMILY.homes[1], **changes)
    with pytest.raises(UsageError, match=f"^seed: {re.escape(complaint)}"):
        World(start=msgspec.structs.replace(FAMILY, homes=(FAMILY.homes[0], wrong)))


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        (0, "devices[0]: a device that is nobody's is in no home"),
        (1, "devices[1]: u1 has no home Barn"),
    ],
)
def test_a_home_that_is_not_there(index: int, complaint: str) -> None:
    devices = list(FAMILY.devices)
    devices[index] = msgspec.structs.replace(devices[index], home="Barn")
    with pytest.raises(UsageError, match=re.escape(complaint)):
        World(start=msgspec.structs.replace(FAMILY, devices=tuple(devices)))


def test_a_user_of_an_app_in_another_centre() -> None:
    user = UserSeed(
        uid="u3", name="zoe", schema="app", region="IN", country_code="91", nick_name="Zoë"
    )
    world = World(start=msgspec.structs.replace(SMALL, users=(*SMALL.users, user)))
    users = world.state.users
    found = users.find(users.app("app", "IN"), "zoe")
    assert found == users.get("u3")
    assert found is not None
    assert (found.country_code, found.nick_name) == ("91", "Zoë")
    assert users.find(users.app(), "user") == users.get("u1")
    nowhere = Seed(users=(UserSeed(uid="u4", name="x", region="XX"),))
    with pytest.raises(UsageError, match=r"users\[0\]: XX is no data centre"):
        plant(world.state, nowhere, world.now_ms)
