"""The reset gesture: long enough, too short, and begun before the power came."""

from firmware_sim import events as ev
from firmware_sim.wire import mqtt
from tests.device.stage import (
    BOUND,
    DEV_ID,
    Stage,
    online,
)


def test_a_held_button_resets_and_tells_an_online_cloud_first() -> None:
    stage = online()
    stage.tell(ev.ButtonPressed())
    stage.wait(2999)
    before = len(stage.packets())
    assert stage.state == "ONLINE"
    stage.wait(1)
    assert stage.state == "RESETTING"
    told, given_up, bye = stage.packets()[before:]
    assert isinstance(told, mqtt.Publish)
    assert b"tuya.device.reset" in told.payload
    assert given_up == mqtt.Unsubscribe(4, (f"smart/device/in/{DEV_ID}",))
    assert isinstance(bye, mqtt.Disconnect)
    stage.wait(10_000)
    assert (stage.state, stage.device.operator) == ("WAITING", "waiting")


def test_a_short_press_does_nothing() -> None:
    stage = online()
    stage.tell(ev.ButtonPressed())
    stage.wait(2000)
    stage.tell(ev.ButtonReleased())
    stage.wait(5000)
    assert stage.state == "ONLINE"


def test_a_button_held_at_power_on_counts_from_there() -> None:
    stage = Stage(flash=BOUND.image())
    stage.tell(ev.ButtonPressed())
    stage.wait(60_000)
    stage.tell(ev.PowerApplied())
    stage.wait(3000)
    assert stage.state == "RESETTING"


def test_a_button_that_is_stuck_counts_again_after_a_power_cut() -> None:
    stage = Stage().boot()
    stage.tell(ev.ButtonPressed())
    stage.wait(20_000)
    assert stage.state == "WAITING", "one press, one reset"
    stage.tell(ev.PowerRemoved())
    stage.tell(ev.PowerApplied())
    stage.wait(3000)
    assert stage.state == "RESETTING"
