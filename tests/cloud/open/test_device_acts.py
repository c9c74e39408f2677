"""What is done to devices, as functions of the state: effects, records, refusals."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fleet.cloud.devices import ResetKind
from fleet.cloud.open import device_acts
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.standard import Command
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.support import REPAIR, SETTINGS, assert_reloads

ON = [Command("switch_1", msgspec.Raw(b"true"))]


def do(world: DevicesWorld, act: Callable[..., Any], *args: object, **choices: object) -> None:
    """Carry out an act with the first camera as a step of its own."""
    now_ms = world.world.now_ms
    world.world.rule(lambda s: act(s, *args, now_ms, **choices))


def refusal(world: DevicesWorld, act: Callable[..., Any], *args: object) -> Code:
    with pytest.raises(OpenRefused) as refused:
        do(world, act, *args)
    assert_reloads(world.world)
    return refused.value.code


def told(world: DevicesWorld) -> list[str]:
    """Return what the developers were told, and forget it."""
    codes = [
        push.biz_code or (push.core.biz_code if push.core else "") for push in world.world.pushes
    ]
    world.world.pushes.clear()
    return codes


def test_names() -> None:
    world = DevicesWorld()
    do(world, device_acts.rename, world.device(), "Porch")
    do(world, device_acts.name_points, world.device(), {"switch_1": "Fan", "label": "Text"})
    assert (world.device().name, dict(world.device().point_names)) == (
        "Porch",
        {"switch_1": "Fan", "label": "Text"},
    )
    assert told(world) == ["nameUpdate", "dpNameUpdate", "dpNameUpdate"]
    wrong = {"switch_1": "x", "nosuch": "y"}
    assert (
        refusal(world, device_acts.name_points, world.device(), wrong) is Code.FUNCTION_UNSUPPORTED
    )


def test_commands() -> None:
    world = DevicesWorld()
    link = world.world.cloud._link
    assert refusal(world, device_acts.command, link, world.device(), ON) is Code.DEVICE_OFFLINE
    world.online()
    do(world, device_acts.command, link, world.device(), ON)
    assert world.commands() == [{"dps": {"1": True}}]
    assert told(world) == ["online", "deviceDpCommand"]


def test_wishes() -> None:
    world = DevicesWorld(msgspec.structs.replace(SETTINGS, open_desired_life_s_max=10))
    link = world.world.cloud._link
    do(world, device_acts.desire, link, world.device(), ON, 10)
    (wish,) = world.world.state.data_points.desired.of(world.camera.dev_id, world.world.now_ms)
    assert (wish.dp_id, wish.value, wish.sent) == (1, "true", False)
    assert refusal(world, device_acts.desire, link, world.device(), ON, 11) is Code.PARAM_RANGE


def test_frost() -> None:
    world = DevicesWorld()
    link = world.world.cloud._link
    world.online()
    told(world)
    do(world, device_acts.freeze, world.device(), frozen=True)
    do(world, device_acts.freeze, world.device(), frozen=True)
    assert told(world) == ["deviceFreeze"]
    assert (
        refusal(world, device_acts.command, link, world.device(), ON) is Code.COMMANDS_ISSUE_ERROR
    )
    do(world, device_acts.freeze, world.device(), frozen=False)
    assert told(world) == ["deviceUnFreeze"]
    do(world, device_acts.command, link, world.device(), ON)


def test_deleting_in_anothers_name() -> None:
    world = DevicesWorld()
    link = world.world.cloud._link
    world.online()
    devices = [world.device(0), world.device(1)]
    do(world, device_acts.delete_all, link, REPAIR, devices, ResetKind.RESET_FACTORY)
    assert [world.device(number).bound for number in (0, 1, 2)] == [False, False, True]
    assert [world.device(number).revoked for number in (0, 1)] == [False, True]
    assert [row.uuid for row in world.world.state.history.page(REPAIR).rows] == [
        "uuid0000",
        "uuid0001",
    ]
    assert len(world.camera.told(world.camera.heard())) == 1
    assert told(world) == ["online", "delete", "delete"]
    assert_reloads(world.world)
