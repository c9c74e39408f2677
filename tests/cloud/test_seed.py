"""Seeds: a cloud that begins with people and devices; one clear line for each contradiction."""

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.permissions import Permission
from fleet.cloud.quotas import Scope
from fleet.cloud.seed import AccountSeed, DeviceSeed, LimitSeed, ProductSeed, Seed, UserSeed

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


def test_keys_and_passwords_are_not_shown() -> None:
    world = seed()
    shown = repr(world)
    assert "correct horse" not in shown
    assert world.devices[0].auth_key not in shown
    assert "sec_key" not in repr(world.devices[0])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"accounts": 2}, "name_taken"),
        ({"users": 2}, "user uid0: the uid comes twice"),
        ({"products": 2}, f"product {CAMERA}: the id comes twice"),
        ({"devices": 2}, "device uuid0000: the uuid comes twice"),
        ({"accounts": 0}, f"no account {OWNER}"),
        ({"accounts": 0, "products": 0}, f"role returns: no account {OWNER}"),
        ({"products": 0, "grants": 0, "limits": 0}, f"device uuid0000: no product {CAMERA}"),
        ({"users": 0}, "device uuid0000: no user uid0"),
        ({"products": 0}, "no_permission"),
    ],
)
def test_what_contradicts_itself(change: dict[str, int], complaint: str) -> None:
    """Each list is left out (0), or repeats its first entry (2)."""
    start = seed()
    for name, count in change.items():
        rows = getattr(start, name)
        rows = (rows[0], *rows) if count == 2 else ()
        start = msgspec.structs.replace(start, **{name: rows})
    with pytest.raises(UsageError, match=complaint):
        World(start=start)


@pytest.mark.parametrize("lacking", ["owner", "dev_id", "sec_key", "local_key"])
def test_a_device_is_bound_in_full_or_not_at_all(lacking: str) -> None:
    start = seed(1)
    half = msgspec.structs.replace(start.devices[0], **{lacking: ""})
    with pytest.raises(UsageError, match="all or none"):
        World(start=msgspec.structs.replace(start, devices=(half,)))


def test_a_device_id_belongs_to_one_device() -> None:
    start = seed(2)
    twin = msgspec.structs.replace(start.devices[1], dev_id=start.devices[0].dev_id)
    with pytest.raises(UsageError, match="dev_id comes twice"):
        World(start=msgspec.structs.replace(start, devices=(start.devices[0], twin)))


def test_a_limit_beyond_reason() -> None:
    high = LimitSeed(scope=Scope.PRODUCT, name="pid", limit=5_000_000)
    start = msgspec.structs.replace(SMALL, limits=(high,))
    with pytest.raises(UsageError, match="a limit lies in"):
        World(SETTINGS, start)


@pytest.mark.parametrize(
    ("rows", "changes", "complaint"),
    [
        ("devices", {"uuid": "a b"}, r"at `\$.devices\[0\].uuid`"),
        ("devices", {"auth_key": "short"}, r"at `\$.devices\[0\].auth_key`"),
        ("products", {"name": ""}, r"at `\$.products\[0\].name`"),
        ("limits", {"limit": "many"}, r"at `\$.limits\[0\].limit`"),
    ],
)
def test_what_no_device_or_person_could_have(
    rows: str, changes: dict[str, str], complaint: str
) -> None:
    first, *others = getattr(SMALL, rows)
    wrong = (msgspec.structs.replace(first, **changes), *others)
    with pytest.raises(UsageError, match=complaint):
        World(start=msgspec.structs.replace(SMALL, **{rows: wrong}))
