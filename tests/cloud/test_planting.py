"""Planted seeds: a cloud that begins with people and devices; one clear line for each mistake."""

import re

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud import handover
from fleet.cloud.permissions import GrantKind, Permission
from fleet.cloud.planting import plant
from fleet.cloud.quotas import Scope
from fleet.cloud.seed import (
    AccountSeed,
    DeviceSeed,
    GrantSeed,
    LimitSeed,
    OemLinkSeed,
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


def test_a_product_has_a_schema_that_firmware_could_read() -> None:
    (product,) = SMALL.products
    wrong = msgspec.structs.replace(product, schema='[{"id": 256}]')
    with pytest.raises(UsageError, match=r"^seed: products\[0\]: schema: JSON: "):
        World(start=msgspec.structs.replace(SMALL, products=(wrong,)))


@pytest.mark.parametrize(
    ("scope", "complaint"),
    [(Scope.PRODUCT, "there is no product typo"), (Scope.ACCOUNT, "there is no account typo")],
)
def test_a_limit_of_nobody(scope: Scope, complaint: str) -> None:
    limits = (LimitSeed(scope=scope, name="typo", limit=5),)
    with pytest.raises(UsageError, match=rf"^seed: limits\[0\]: {complaint}"):
        World(start=msgspec.structs.replace(SMALL, limits=limits))


# --- products that were passed on -----------------------------------------------------------------

LINK = OemLinkSeed(link="0123456789abcdef01234567", product_id="pid")
PASSED_ON = Seed(
    accounts=(AccountSeed(name="maker"), AccountSeed(name="brand"), AccountSeed(name="shop")),
    products=(
        *SMALL.products,
        ProductSeed(
            product_id="copy",
            name="Our camera",
            category="sp",
            owner="brand",
            first_owner="maker",
            copied_from="pid",
        ),
    ),
    oem_links=(LINK,),
    grants=(
        GrantSeed(
            owner="brand",
            kind=GrantKind.ORIGIN,
            grantee="maker",
            role="unbind",
            products=("copy",),
        ),
    ),
)


def test_a_product_has_a_first_owner_and_links_lead_to_it() -> None:
    world = World(start=PASSED_ON)
    origins, copy = world.state.accounts.origins, world.state.products.get("copy")
    assert copy is not None
    assert origins.first_owner("copy") == "maker"
    assert world.state.accounts.may_unbind("maker", copy).allowed
    assert [link.owner for link in origins.links_of("maker")] == ["maker"]
    made = world.rule(handover.accept, "shop", LINK.link)
    assert made.owner == "shop"
    assert_reloads(world)


@pytest.mark.parametrize(
    ("rows", "changes", "complaint"),
    [
        ("oem_links", {}, "oem_links[1]: name_taken"),
        ("oem_links", {"product_id": "no"}, "oem_links[1]: there is no product no"),
        ("oem_links", {"link": "short"}, "oem_links[1].link: Expected"),
        ("products", {"product_id": "p", "first_owner": "no"}, "products[2]: there is no account"),
        ("products", {"product_id": "p", "copied_from": "no"}, "products[2]: there is no product"),
    ],
)
def test_what_cannot_have_been_passed_on(
    rows: str, changes: dict[str, str], complaint: str
) -> None:
    """One more entry, a copy of the first with changes."""
    known = getattr(PASSED_ON, rows)
    more = (*known, msgspec.structs.replace(known[0], **changes))
    with pytest.raises(UsageError, match=f"^seed: {re.escape(complaint)}"):
        World(start=msgspec.structs.replace(PASSED_ON, **{rows: more}))


# --- projects, and more about devices -------------------------------------------------------------

PROJECT = ProjectSeed(
    access_id="id",
    secret="0123456789abcdef01234567",
    owner="maker",
    name="shop",
    regions=("EU",),
    push_families="both",
    push_encryption="aes_gcm",
    redirects=("https://shop.test/back?shop=1",),
)


def test_a_project_calls_from_the_first_second_on() -> None:
    world = World(start=msgspec.structs.replace(SMALL, projects=(PROJECT,)))
    project = world.state.projects.get("id")
    assert project is not None
    assert (project.owner, project.regions, project.families) == ("maker", ("EU",), ("*",))
    assert (project.push_families, project.push_encryption) == ("both", "aes_gcm")
    assert project.redirects == PROJECT.redirects
    assert_reloads(world)


def test_a_project_sends_browsers_to_addresses_only() -> None:
    wrong = msgspec.structs.replace(PROJECT, redirects=("shop.test",))
    with pytest.raises(UsageError, match=r"projects\[0\]\.redirects\[0\]: "):
        World(start=msgspec.structs.replace(SMALL, projects=(wrong,)))


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
    child = msgspec.structs.replace(fresh, auth_key="", gateway="bf2", node_id="n1")
    world = World(start=msgspec.structs.replace(SMALL, devices=(bound, child)))
    device = world.state.devices.get("d2")
    assert device is not None
    assert (device.region, device.time_zone, device.name) == ("IN", "+05:30", "Desk")
    assert device.created_ms == device.updated_ms == device.activated_ms == world.now_ms
    assert world.state.data_points.get("bf2") == {"1": msgspec.Raw(b"true")}
    assert [one.uuid for one in world.state.devices.behind("bf2")] == ["d1"]
    assert_reloads(world)


CHILD = {"auth_key": "", "gateway": "bf2", "node_id": "n1"}


def with_child(**changes: str) -> World:
    fresh, bound = SMALL.devices
    child = msgspec.structs.replace(fresh, **{**CHILD, **changes})
    return World(start=msgspec.structs.replace(SMALL, devices=(bound, child)))


def test_a_sub_device_has_the_local_key_of_its_gateway_and_no_other() -> None:
    world = with_child(owner="u1", dev_id="bf9")
    gateway, child = world.state.devices.get("d2"), world.state.devices.get("d1")
    assert gateway is not None
    assert child is not None
    assert (child.auth_key, child.sec_key, child.local_key) == ("", "", gateway.local_key)
    assert (child.owner, child.home) == (gateway.owner, gateway.home)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"node_id": ""}, "a sub-device takes a node_id"),
        ({"auth_key": "0123456789abcdef"}, "a sub-device has no keys"),
        ({"owner": "u1"}, "give owner and dev_id both or none"),
        ({"owner": "u2", "dev_id": "bf9"}, "a sub-device belongs to whom its gateway belongs to"),
    ],
)
def test_a_sub_device_that_cannot_be(changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"devices[1]: {complaint}")):
        with_child(**changes)


def test_two_sub_devices_in_one_place() -> None:
    fresh, bound = SMALL.devices
    one = msgspec.structs.replace(fresh, **CHILD)
    two = msgspec.structs.replace(one, uuid="d9")
    with pytest.raises(UsageError, match=re.escape("devices[2]: its gateway has this node_id")):
        World(start=msgspec.structs.replace(SMALL, devices=(bound, one, two)))


@pytest.mark.parametrize(
    ("index", "changes", "complaint"),
    [
        (1, {"region": "XY"}, "devices[1]: XY is no data centre"),
        (1, {"dps": "on"}, "devices[1]: dps: JSON"),
        (0, {"dps": '{"1": true}'}, "devices[0]: a device that is nobody's has no values"),
        (0, {"gateway": "bf2"}, "devices[0]: name the gateway before it"),
        (0, {"auth_key": ""}, "devices[0]: a device takes an auth_key"),
        (0, {"node_id": "n1"}, "devices[0]: a node_id goes with a gateway"),
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
