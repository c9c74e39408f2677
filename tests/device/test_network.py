"""Getting on the network of a code, and back to the one in flash."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from tests.device.stage import (
    BOUND,
    CODE,
    Stage,
    online,
)


@pytest.mark.parametrize("reason", list(ev.JoinRefusal))
def test_a_refused_join_names_its_reason(reason: ev.JoinRefusal) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiRefused(reason))
    assert (stage.state, stage.device.light) == ("FAILED", "join_failed")
    assert stage.last(fx.Noted) == fx.Noted("join_refused", reason.value)


def test_nobody_answers_the_join() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.wait(20_000)
    assert stage.state == "FAILED"
    assert stage.last(fx.Noted) == fx.Noted("join_refused", "no_network")


def test_a_bound_device_rejoins_for_ever() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    for _ in range(20):
        stage.tell(ev.WifiRefused(ev.JoinRefusal.NO_SUCH_NETWORK))
        stage.wait(1000)
    assert stage.state == "REJOINING"
    assert len(stage.all(fx.JoinWifi)) == 21
    stage.tell(ev.WifiJoined("127.1.0.1"))
    assert (stage.state, stage.session) == ("ONLINE", "RESOLVING")


def test_wifi_lost_and_found_again() -> None:
    stage = online()
    stage.tell(ev.LinkDown())
    assert (stage.state, stage.session) == ("REJOINING", "DOWN")
    stage.tell(ev.WifiJoined("127.1.0.2"))
    stage.connect()
    assert stage.device.light == "online"
