"""Two laws of how long to wait before the next attempt."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import backoff
from firmware_sim.device.profile import Backoff
from firmware_sim.wire import mqtt
from tests.device.stage import Stage, online


def lose(stage: Stage) -> int:
    """Cut the stream; return how long the device waits until it opens another, in ms."""
    stage.tell(ev.MqttClosed("reset"))
    return wait_for_the_next(stage)


def wait_for_the_next(stage: Stage) -> int:
    assert stage.session == "BACKOFF"
    since_ms, opened = stage.now_ms, len(stage.all(fx.OpenMqtt))
    while len(stage.all(fx.OpenMqtt)) == opened:
        due_ms = stage.device.next_deadline_ms()
        assert due_ms is not None
        stage.wait(due_ms - stage.now_ms)
    return stage.now_ms - since_ms


def refuse(stage: Stage, code: int = 3) -> int:
    """Refuse a connection that is being made; return how long the device waits."""
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(code))
    return wait_for_the_next(stage)


def test_the_vendors_takes_a_session_up_again_at_once() -> None:
    stage = online()
    for _ in range(5):
        assert 1 <= lose(stage) <= backoff.LOOP_MS
        stage.connect()
    assert stage.device.backoff_bound_ms == 0, "nothing has failed yet"


def test_the_vendors_bound_doubles_and_is_never_set_back() -> None:
    stage = online()
    lose(stage)
    bounds, pauses = [], []
    for _ in range(60):
        bounds.append(stage.device.backoff_bound_ms)
        pauses.append(refuse(stage))
        assert pauses[-1] <= (bounds[-1] or backoff.FIRST_MS)
    assert bounds[:6] == [0, 2000, 4000, 8000, 8000, 8000]
    assert set(bounds[4:]) == {8000}
    assert max(pauses) > 6000
    stage.connect()
    stage.wait(600_000)
    lose(stage)
    assert stage.device.backoff_bound_ms == 8000


def test_a_restart_sets_it_back() -> None:
    stage = online()
    lose(stage)
    refuse(stage)
    stage.tell(ev.PowerRemoved())
    stage.boot()
    assert stage.device.backoff_bound_ms == 0


def test_the_vendors_waits_longer_while_it_is_not_paired() -> None:
    stage = Stage("nvr-label").boot()
    stage.tell(ev.LinkUp("127.1.0.1"))
    stage.reply_servers()
    assert [2000 < refuse(stage, 5) <= 3000, 2000 < refuse(stage) <= 4000] == [True, True]


def test_the_capped_one_repeats_nothing_at_once() -> None:
    stage = online()
    stage.habits(backoff=Backoff.CAPPED)
    bounds = []
    for _ in range(9):
        bounds.append(stage.device.backoff_bound_ms)
        assert lose(stage) <= (bounds[-1] or backoff.FIRST_MS)
        stage.connect()
    assert bounds == [0, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]


@pytest.mark.parametrize(("stood_ms", "bound_ms"), [(59_999, 16_000), (60_000, 2000)])
def test_the_capped_one_is_set_back_by_a_session_that_stood(stood_ms: int, bound_ms: int) -> None:
    stage = online()
    stage.habits(backoff=Backoff.CAPPED)
    stage.device.backoff_bound_ms = 8000
    stage.wait(stood_ms)
    lose(stage)
    assert stage.device.backoff_bound_ms == bound_ms


def test_a_session_that_was_ended_in_good_order_is_not_taken_up_again_at_once() -> None:
    """Only the session that was lost counts, not the one before it."""
    stage = online()
    stage.tell(ev.LinkDown())
    stage.tell(ev.WifiJoined("127.1.0.1"))
    assert stage.session == "CONNECTING"
    stage.tell(ev.MqttClosed("refused"))
    assert stage.device.backoff_bound_ms == 2000
