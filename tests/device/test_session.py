"""Stories of the cloud session: refusals, losses, keep-alive, back-off, broken streams."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt
from firmware_sim.wire.atop_messages import SyncStatus
from tests.device.stage import BOUND, Stage, online


def refused(code: int) -> Stage:
    """A bound device whose CONNECT is answered with `code`."""
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_success()
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(code))
    return stage


@pytest.mark.parametrize(
    ("status", "kind"), [("reset", "REMOTE_UNBIND"), ("reset_factory", "REMOTE_FACTORY")]
)
def test_connack_5_asks_and_obeys(status: str, kind: str) -> None:
    stage = refused(5)
    assert stage.session == "SYNCING"
    assert stage.device.call is Call.SYNC
    stage.reply_success(messages.encode(messages.SyncResult(status=SyncStatus(status))))
    assert stage.state == "RESETTING"
    assert stage.device.flash.resetting is not None
    assert stage.device.flash.resetting.name == kind
    stage.wait(10_000)
    assert stage.device.operator == "unbound"


def test_connack_5_taken_back() -> None:
    stage = refused(5)
    stage.reply_success(messages.encode(messages.SyncResult(status=SyncStatus.ENABLE)))
    assert (stage.state, stage.session) == ("ONLINE", "BACKOFF")
    stage.wait(1001)
    stage.connect()


def test_connack_5_without_an_answer_resets_as_the_vendors_firmware_does() -> None:
    stage = refused(5)
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "timeout"))
    assert stage.state == "RESETTING"


def test_a_refused_sync_resets_too() -> None:
    stage = refused(5)
    stage.reply_error("DENIED", BOUND.sec_key)
    assert stage.state == "RESETTING"


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_other_refusals_back_off(code: int) -> None:
    stage = refused(code)
    assert (stage.state, stage.session) == ("ONLINE", "BACKOFF")
    assert stage.notes()[-1] == "mqtt_refused"


def test_the_back_off_bound_doubles_and_is_never_set_back() -> None:
    stage = online()
    bounds = []
    for _ in range(6):
        stage.tell(ev.MqttClosed("reset"))
        assert stage.session == "BACKOFF"
        bounds.append(stage.device.backoff_bound_ms)
        since_ms = stage.now_ms
        while stage.session == "BACKOFF":
            stage.wait(1)
        assert stage.now_ms - since_ms <= max(1, bounds[-1] // 2)
        stage.connect()
    assert bounds == [1000, 2000, 4000, 8000, 8000, 8000]


def test_keep_alive_pings_and_notices_silence() -> None:
    stage = online()
    stage.wait(120_000)
    assert isinstance(stage.packets()[-1], mqtt.Pingreq)
    stage.hear(mqtt.Pingresp())
    stage.wait(120_000)
    assert stage.session == "UP"
    stage.wait(2000)
    assert stage.session == "BACKOFF"
    assert stage.all(fx.CloseMqtt)


def test_a_silent_broker_is_given_up() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_success()
    stage.wait(5000)
    assert stage.session in ("BACKOFF", "CONNECTING")
    assert len(stage.all(fx.CloseMqtt)) == 1


def test_servers_that_do_not_answer_are_asked_again() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    assert stage.session == "BACKOFF"
    stage.wait(1001)
    assert (stage.session, stage.device.call) == ("RESOLVING", Call.RESOLVE)


def test_versions_are_declared_once() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    assert stage.session == "DECLARING"
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    stage.wait(1001)
    assert stage.session == "DECLARING"
    stage.reply_error("BUSY", BOUND.sec_key)
    assert "versions_refused" in stage.notes()
    assert stage.session == "CONNECTING"
    revived = Stage(flash=stage.flash).boot()
    revived.tell(ev.WifiJoined("127.1.0.1"))
    revived.reply_servers()
    assert revived.session == "CONNECTING"


def test_power_cut_says_goodbye_to_nobody() -> None:
    stage = online()
    effects = stage.tell(ev.PowerRemoved())
    assert [type(effect) for effect in effects] == [fx.StateShown]
    assert (stage.state, stage.session) == ("OFF", "DOWN")
    assert stage.device.next_deadline_ms() is None
