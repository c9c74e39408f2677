"""Stories of one camera: paired, released, reset, refused, and without power at every instant."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Device, Identity
from firmware_sim.effects import StateShown
from firmware_sim.errors import UsageError
from firmware_sim.node import Node
from firmware_sim.wire import mqtt
from hw_profiles import catalog
from tests.device.stage import (
    AUTH_KEY,
    CODE,
    SEC_KEY,
    UUID,
    Stage,
    online,
)


@pytest.mark.parametrize("code", [b"hello", b"\xff\xfe", b'{"s":"net","p":"password","t":"short"}'])
def test_a_foreign_code_is_noted_and_ignored(code: bytes) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(code))
    assert stage.state == "WAITING"
    assert stage.notes()[-1] == "bad_qr"


def test_a_code_is_ignored_unless_waiting() -> None:
    stage = online()
    stage.tell(ev.FrameDecoded(CODE))
    assert stage.state == "ONLINE"


def test_light_and_operator_state_come_from_the_state_alone() -> None:
    stage = Stage().boot().pair()
    shown = stage.last(StateShown)
    assert (shown.light, shown.operator) == (stage.device.light, stage.device.operator)
    assert shown.cause == "Subscribed"


def test_secrets_do_not_show() -> None:
    stage = Stage().boot().pair()
    text = repr(stage.said) + repr(stage.device.identity) + repr(stage.device.flash)
    for secret in (AUTH_KEY, SEC_KEY, "l0calK3y", "password1", "abcd1234"):
        assert secret not in text


def test_an_impossible_identity_or_flash_is_refused() -> None:
    with pytest.raises(UsageError, match="uuid takes"):
        Identity("x" * 26, AUTH_KEY, "pid")
    with pytest.raises(UsageError, match="product_id takes"):
        Identity(UUID, AUTH_KEY, "")
    profile = catalog.load("nvr")
    with pytest.raises(UsageError, match="not a flash image"):
        Device(profile, Identity(UUID, AUTH_KEY, "pid"), 1, ("dns", 80), b"\x93nonsense")


def test_a_device_is_a_node_and_costs_little() -> None:
    node: Node = Stage().device
    assert node.next_deadline_ms() is None
    assert not hasattr(node, "__dict__")


def test_a_clock_that_is_set_ahead_changes_no_duration() -> None:
    """Neither an answer that is on its way nor a LAN client is late because of it."""
    stage = online()
    stage.wait(100_000)
    stage.tell(ev.LanOpened(1))
    stage.wait(20_000)
    stage.tell(ev.LanOpened(2))
    assert isinstance(stage.packets()[-1], mqtt.Pingreq)
    stage.now_ms += 86_400_000
    stage.tell(ev.ClockSet(86_400_000))
    assert stage.device.now_s == stage.now_ms // 1000
    stage.wait(1_999)
    assert stage.session == "UP"
    stage.wait(1)
    assert stage.session == "BACKOFF"
    stage.wait(8_000)
    assert [closed.conn for closed in stage.all(fx.LanClose)] == [1]
