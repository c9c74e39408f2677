"""Batch unbinding, by devices and operators: what releases, what refuses, and what it costs."""

import json

import msgspec
import pytest

from fleet.cloud.permissions import GrantKind
from fleet.cloud.quotas import Scope
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.unbinding import unbind

from .support import (
    BUYER,
    CAMERA,
    DAY_MS,
    OWNER,
    PARTNER,
    RECORDER,
    REPAIR,
    SETTINGS,
    STRANGER,
    FakeDevice,
    World,
    assert_reloads,
    seed,
)


def used(world: World, account: str = REPAIR) -> tuple[int, int]:
    """Return today's quota use of the account and of the camera."""
    quotas = world.state.quotas
    return (
        quotas.standing(Scope.ACCOUNT, account, world.now_ms).used,
        quotas.standing(Scope.PRODUCT, CAMERA, world.now_ms).used,
    )


def last_row(world: World, viewer: str = OWNER) -> dict[str, object]:
    row = world.state.history.page(viewer).rows[-1]
    return {
        "account": row.account,
        "operation": row.operation,
        "batch": row.batch,
        "uuid": row.uuid,
        "status": row.status,
        "reason": row.reason,
    }


# --- release ------------------------------------------------------------------------------------


def test_one_unbinding_from_code_to_waiting_again() -> None:
    world = World()
    operator = world.account(REPAIR)
    order = world.unbind_token(operator)
    device = FakeDevice(world, 0)
    keys = (device.sec_key, device.local_key)
    commits = world.commits

    assert device.activate(order["token"]) == ""
    assert world.commits == commits + 1
    assert device.granted.dev_id == "bfdevice00000000000000", "the device id is for life"
    assert device.sec_key not in keys
    assert device.local_key not in keys
    assert world.state.devices.owned_by("uid0") == []
    assert used(world) == (1, 1)
    (pushed,) = world.pushes
    assert (pushed.biz_code, pushed.dev_id) == ("delete", device.dev_id)
    assert json.loads(pushed.data) == {"devId": device.dev_id, "uid": "uid0"}

    packets = device.go_online()
    (message,) = device.told(packets)
    assert (message.protocol, message.type) == (11, "reset")
    assert json.loads(bytes(message.data)) == {"gwId": device.dev_id}
    device.acknowledge(packets)
    device.drop()

    assert device.connect() == 5, "its credentials are void"
    assert device.sync() == "reset"
    assert world.log(device.uuid) == [
        "unbound",
        "online",
        "reset_sent",
        "reset_confirmed",
        "offline",
    ]
    (row,) = world.history(operator)
    assert (row["status"], row["reason"], row["batch"]) == ("ok", "", order["batch"])
    shown = world.get("GET", f"/console/v1/unbind-tokens/{order['batch']}", None, operator)
    assert shown["used"] == 1
    assert_reloads(world)


def test_a_reset_that_was_not_acknowledged_is_sent_again() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.activate(world.unbind_token(world.account(REPAIR))["token"])
    assert len(device.told(device.go_online())) == 1
    device.drop()
    assert len(device.told(device.go_online())) == 1, "nothing was confirmed, so it may come in"


def test_the_kind_of_reset_is_a_setting() -> None:
    settings = msgspec.structs.replace(SETTINGS, unbind_reset_kind="reset_factory")
    world = World(settings)
    device = FakeDevice(world, 0)
    device.go_online()
    device.report(b'{"1":true}')
    device.activate(world.unbind_token(world.account(REPAIR))["token"])
    assert world.state.data_points.get(device.dev_id) == {}, "everything includes what we keep"
    (message,) = device.told(device.go_online())
    assert message.type == "reset_factory"
    assert_reloads(world)


def test_mode_refuse_commits_and_answers_that_there_is_no_such_device() -> None:
    world = World(msgspec.structs.replace(SETTINGS, unbind_mode="refuse"))
    device = FakeDevice(world, 0)
    device.go_online()
    order = world.unbind_token(world.account(REPAIR))
    for _ in range(2):
        assert device.activate(order["token"]) == "GATEWAY_NOT_EXISTS"
        assert device.conn in world.closed, "its old keys are void at once"
        assert used(world) == (1, 1)
        assert last_row(world)["status"] == "ok"
    assert device.connect() == 5
    assert device.sync() == "reset"
    assert_reloads(world)


# --- the same again -----------------------------------------------------------------------------


def test_a_lost_reply_is_given_again_and_not_charged_again() -> None:
    world = World()
    device = FakeDevice(world, 0)
    order = world.unbind_token(world.account(REPAIR))
    device.activate(order["token"])
    first = device.granted
    world.kill_and_restart()
    world.now_ms += 3_600_000  # the token has died meanwhile
    assert device.activate(order["token"]) == ""
    assert device.granted == first
    assert used(world) == (1, 1)
    assert len(world.state.history.page(OWNER).rows) == 1
    assert len(device.told(device.go_online())) == 1


def test_a_lost_reply_is_given_again_though_the_code_was_cancelled_and_another_day_began() -> None:
    world = World()
    operator = world.account(REPAIR)
    device, other = FakeDevice(world, 0), FakeDevice(world, 1)
    order = world.unbind_token(operator)
    device.activate(order["token"])
    world.get("DELETE", f"/console/v1/unbind-tokens/{order['batch']}", None, operator)
    world.now_ms += DAY_MS
    assert device.activate(order["token"]) == ""
    assert other.activate(order["token"]) == "TOKEN_DEAD"
    assert used(world) == (0, 0), "it was charged when it happened"


def test_of_two_codes_at_once_one_releases_the_device() -> None:
    """One came before its lens, the other over the LAN; both calls are on their way."""
    world = World()
    device = FakeDevice(world, 0)
    first, second = (world.unbind_token(world.account(who)) for who in (REPAIR, PARTNER))
    answers = [device.activate(order["token"]) for order in (first, second, first)]
    assert answers == ["", "NOT_BOUND", ""]
    assert (used(world, REPAIR), used(world, PARTNER)) == ((1, 1), (0, 1))


def test_a_released_device_that_sees_the_code_again_resets_again() -> None:
    world = World()
    device = FakeDevice(world, 0)
    order = world.unbind_token(world.account(REPAIR))
    device.activate(order["token"])
    device.acknowledge(device.go_online())
    device.drop()
    assert device.activate(order["token"]) == ""
    assert len(device.told(device.go_online())) == 1
    assert used(world) == (1, 1)


def test_but_not_once_the_code_is_dead() -> None:
    world = World()
    device = FakeDevice(world, 0)
    order = world.unbind_token(world.account(REPAIR))
    device.activate(order["token"])
    device.acknowledge(device.go_online())
    world.now_ms = order["expires_ms"]
    assert device.activate(order["token"]) == "TOKEN_DEAD"


def test_a_device_that_was_bound_since_is_released_anew() -> None:
    world = World()
    device = FakeDevice(world, 0)
    order = world.unbind_token(world.account(REPAIR))
    device.activate(order["token"])
    assert device.activate(world.pair_token(world.consumer(1))) == ""
    assert device.activate(order["token"]) == ""
    assert used(world) == (2, 2)


# --- refusals -----------------------------------------------------------------------------------


def test_31st_device_of_a_code() -> None:
    world = World(start=seed(31))
    order = world.unbind_token(world.account(REPAIR))
    for number in range(30):
        assert FakeDevice(world, number).activate(order["token"]) == ""
    assert FakeDevice(world, 30).activate(order["token"]) == "TOKEN_FULL"
    assert last_row(world)["reason"] == "token_full"
    assert used(world) == (30, 30)


def test_refused_devices_take_no_place() -> None:
    world = World()
    order = world.unbind_token(world.account(REPAIR), max_devices=1)
    first, second = FakeDevice(world, 0), FakeDevice(world, 1)
    other = world.unbind_token(world.account(OWNER))
    assert first.activate(other["token"]) == ""
    assert first.activate(order["token"]) == "NOT_BOUND"
    assert second.activate(order["token"]) == ""
    assert FakeDevice(world, 2).activate(order["token"]) == "TOKEN_FULL"


def test_dead_tokens() -> None:
    world = World()
    operator = world.account(REPAIR)
    device = FakeDevice(world, 0)
    assert device.activate("EU" + "nosuch00" + "pr_0") == "TOKEN_DEAD"
    assert last_row(world)["account"] == "", "nobody's, but the product's owner sees it"

    cancelled = world.unbind_token(operator)
    world.get("DELETE", f"/console/v1/unbind-tokens/{cancelled['batch']}", None, operator)
    assert device.activate(cancelled["token"]) == "TOKEN_DEAD"
    assert last_row(world, REPAIR)["batch"] == cancelled["batch"]

    expired = world.unbind_token(operator, life_s=1)
    world.now_ms += 999
    assert FakeDevice(world, 1).activate(expired["token"]) == ""
    world.now_ms += 1
    assert device.activate(expired["token"]) == "TOKEN_DEAD"
    assert used(world) == (1, 1)


@pytest.mark.parametrize("who", [BUYER, STRANGER])
def test_who_may_not(who: str) -> None:
    world = World()
    device = FakeDevice(world, 0)
    assert device.activate(world.unbind_token(world.account(who))["token"]) == "NO_PERMISSION"
    assert last_row(world)["reason"] == "no_permission"
    assert last_row(world, who)["account"] == who
    assert used(world, who) == (0, 0)
    assert world.state.devices.owned_by("uid0") != []


@pytest.mark.parametrize("who", [OWNER, PARTNER, REPAIR])
def test_who_may(who: str) -> None:
    world = World()
    assert FakeDevice(world, 0).activate(world.unbind_token(world.account(who))["token"]) == ""
    assert used(world, who) == (1, 1)


def test_account_quota_and_the_ticket_that_raises_it() -> None:
    world = World(msgspec.structs.replace(SETTINGS, account_quota_per_day=1))
    operator = world.account(REPAIR)
    order = world.unbind_token(operator)
    assert FakeDevice(world, 0).activate(order["token"]) == ""
    assert FakeDevice(world, 1).activate(order["token"]) == "ACCOUNT_QUOTA"
    assert last_row(world)["reason"] == "account_quota"
    form = {"scope": "account", "name": REPAIR, "limit": 2}
    assert world.get("POST", "/console/v1/tickets", form, operator) == form
    assert FakeDevice(world, 1).activate(order["token"]) == ""


def test_a_ticket_may_lower_a_limit_below_what_is_used() -> None:
    world = World()
    operator = world.account(REPAIR)
    order = world.unbind_token(operator)
    assert FakeDevice(world, 0).activate(order["token"]) == ""
    form = {"scope": "account", "name": REPAIR, "limit": 0}
    world.get("POST", "/console/v1/tickets", form, operator)
    assert FakeDevice(world, 1).activate(order["token"]) == "ACCOUNT_QUOTA"
    assert used(world) == (1, 1)


def test_product_quota_counts_all_accounts() -> None:
    world = World(msgspec.structs.replace(SETTINGS, product_quota_per_day=1))
    assert FakeDevice(world, 0).activate(world.unbind_token(world.account(OWNER))["token"]) == ""
    order = world.unbind_token(world.account(REPAIR))
    assert FakeDevice(world, 1).activate(order["token"]) == "PRODUCT_QUOTA"
    assert used(world) == (0, 1), "the account is not charged for a refusal"


def test_quotas_begin_anew_at_midnight() -> None:
    world = World(msgspec.structs.replace(SETTINGS, account_quota_per_day=1))
    world.now_ms = world.now_ms // DAY_MS * DAY_MS + DAY_MS - 1
    order = world.unbind_token(world.account(REPAIR))
    assert FakeDevice(world, 0).activate(order["token"]) == ""
    assert FakeDevice(world, 1).activate(order["token"]) == "ACCOUNT_QUOTA"
    world.now_ms += 1
    assert FakeDevice(world, 1).activate(order["token"]) == ""


def test_a_device_that_is_nobodys_and_one_that_lies() -> None:
    world = World()
    order = world.unbind_token(world.account(REPAIR))
    device = FakeDevice(world, 0)
    assert device.activate(order["token"], RECORDER) == "PRODUCT_MISMATCH"
    assert last_row(world)["reason"] == "product_mismatch"
    token = order["token"][2:10]
    refusal = world.rule(unbind, "no-such-uuid", token, CAMERA, world.now_ms)
    assert isinstance(refusal, Refused)
    assert refusal.reason is Reason.DEVICE_UNKNOWN
    assert last_row(world, REPAIR)["uuid"] == "no-such-uuid"


def test_the_first_objection_counts_in_the_published_order() -> None:
    """Everything is wrong at first; then one thing after the other is put right."""
    settings = msgspec.structs.replace(
        SETTINGS, account_quota_per_day=0, product_quota_per_day=0, unbind_devices_per_token_max=1
    )
    world = World(settings, seed(3))
    operator = world.account(REPAIR)
    device, helper = FakeDevice(world, 0), FakeDevice(world, 1)
    world.rule(lambda state: state.accounts.revoke(OWNER, grant_of(world, REPAIR)))
    world.rule(lambda state: state.quotas.raise_limit(Scope.ACCOUNT, OWNER, 9))
    world.rule(lambda state: state.quotas.raise_limit(Scope.PRODUCT, CAMERA, 2))
    device.activate(world.unbind_token(world.account(OWNER))["token"])  # nobody's now

    order = world.unbind_token(operator)
    found = []

    def check() -> None:
        found.append(device.activate(order["token"]).lower())

    full = world.state.tokens.unbind_token(order["token"][2:10])
    assert full is not None
    world.rule(lambda state: state.tokens.count_release(full))
    world.now_ms = order["expires_ms"]
    check()
    world.now_ms -= 1
    check()
    order = world.unbind_token(operator)
    check()
    device.activate(world.pair_token(world.consumer(0)))
    check()
    world.rule(
        lambda state: state.accounts.grant(OWNER, GrantKind.SPACE, REPAIR, "After sale", [CAMERA])
    )
    check()
    world.rule(lambda state: state.quotas.raise_limit(Scope.ACCOUNT, REPAIR, 9))
    assert helper.activate(world.unbind_token(world.account(OWNER))["token"]) == ""
    check()
    world.rule(lambda state: state.quotas.raise_limit(Scope.PRODUCT, CAMERA, 3))
    check()
    assert found == [
        "token_dead",
        "token_full",
        "not_bound",
        "no_permission",
        "account_quota",
        "product_quota",
        "",
    ]


def grant_of(world: World, grantee: str) -> str:
    return next(g.grant_id for g in world.state.accounts.grants_by(OWNER) if g.grantee == grantee)


def test_firmware_that_retries_for_ever_makes_one_row() -> None:
    world = World()
    device = FakeDevice(world, 0)
    order = world.unbind_token(world.account(STRANGER))
    for _ in range(5):
        world.now_ms += 1_000
        assert device.activate(order["token"]) == "NO_PERMISSION"
    (row,) = world.state.history.page(STRANGER).rows
    assert (row.tries, row.time_ms) == (5, world.now_ms)
    assert_reloads(world)
