"""Stories of the cloud session: refusals, losses, keep-alive, what is said at a start."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.device.flash import ResetKind
from firmware_sim.wire import atop, mqtt
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop_messages import SyncStatus
from tests.device.stage import BOUND, DEV_ID, SEC_KEY, Stage, online


def refused(code: int, profile: str = "ipc-red-green") -> Stage:
    """A bound device whose CONNECT is answered with `code`."""
    stage = Stage(profile, BOUND.image()).boot()
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


def test_firmware_that_does_not_listen_resets_although_the_cloud_takes_it_back() -> None:
    stage = refused(5)
    stage.habits(obeys_enable=False)
    stage.reply_success(messages.encode(messages.SyncResult(status=SyncStatus.ENABLE)))
    assert stage.state == "RESETTING"
    assert stage.device.flash.resetting is ResetKind.REMOTE_UNBIND


@pytest.mark.parametrize(("exists", "state"), [("true", "ONLINE"), ("false", "RESETTING")])
def test_the_oldest_firmware_asks_whether_it_exists(exists: str, state: str) -> None:
    stage = refused(5, "ipc-old")
    query = atop.decode_query(stage.last(fx.SendHttp).target)
    assert (query.a, query.dev_id, stage.last(fx.SendHttp).body) == ("s.gw.exist", DEV_ID, b"")
    stage.reply_success(b'{"exist":%s}' % exists.encode())
    assert stage.state == state


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
    assert stage.notes()[-1] == "mqtt_silent"


@pytest.mark.parametrize("fin", [True, False])
def test_a_connection_that_merely_ends_may_go_unnoticed(fin: bool) -> None:
    stage = online()
    stage.habits(notices_fin=False)
    stage.tell(ev.MqttClosed("closed", fin=fin))
    assert stage.session == ("UP" if fin else "BACKOFF")
    stage.wait(121_999)
    assert not fin or stage.session == "UP"
    stage.wait(1)
    assert not fin or stage.session == "BACKOFF"


def test_others_notice_it_at_once() -> None:
    stage = online()
    stage.tell(ev.MqttClosed("closed", fin=True))
    assert stage.session == "BACKOFF"


def test_a_silent_broker_is_given_up() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_success()
    stage.wait(5000)
    assert stage.session in ("BACKOFF", "CONNECTING")
    assert len(stage.all(fx.CloseMqtt)) == 1
    assert stage.notes()[-1] == "mqtt_lost"


def test_servers_that_do_not_answer_are_asked_again() -> None:
    stage = Stage(flash=BOUND.image()).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    assert stage.session == "BACKOFF"
    stage.wait(1001)
    assert (stage.session, stage.device.call) == ("RESOLVING", Call.LOCATE)


def declaring(flash: bytes, profile: str = "ipc-red-green") -> Stage:
    """Return a bound device that knows the cloud's servers, and nothing else of it."""
    stage = Stage(profile, flash).boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    return stage


def test_versions_are_declared_once() -> None:
    stage = declaring(BOUND.image())
    assert stage.session == "DECLARING"
    stage.reply_success()
    assert stage.session == "CONNECTING"
    assert declaring(stage.flash).session == "CONNECTING"


@pytest.mark.parametrize("code", ["", "BUSY"])
def test_nothing_waits_for_versions_that_the_cloud_does_not_take(code: str) -> None:
    stage = declaring(BOUND.image())
    if code:
        stage.reply_error(code, BOUND.sec_key)
    else:
        stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    assert (stage.session, stage.notes()[-1]) == ("CONNECTING", "call_failed")
    stage.connect()
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(101)
    assert stage.session == "CONNECTING", "they are declared again at the next start"
    assert declaring(stage.flash or BOUND.image()).session == "DECLARING"


@pytest.mark.parametrize(
    ("profile", "api", "text"),
    [
        ("ipc-red-green", "tuya.device.versions.update", b'\\"protocolVer\\":\\"2.2\\"'),
        ("ipc-new", "tuya.device.versions.update", b'\\"protocolVer\\":\\"2.3\\"'),
        ("ipc-old", "s.gw.update", b'"pv":"2.1"'),
    ],
)
def test_versions_name_the_generation(profile: str, api: str, text: bytes) -> None:
    call = declaring(BOUND.image(), profile).last(fx.SendHttp)
    query = atop.decode_query(call.target)
    assert query.a == api
    assert text in atop.decode_request_body(call.body, SEC_KEY, query.et)


def test_a_session_leads_nowhere_twice_at_a_time() -> None:
    """Late answers to what was asked in an earlier session are nobody's."""
    stage = declaring(BOUND.image())
    late = stage.last(fx.SendHttp).call
    stage.tell(ev.LinkDown())
    assert stage.tell(ev.HttpFailed(late, "timeout")) == []


def test_power_cut_says_goodbye_to_nobody() -> None:
    stage = online()
    effects = stage.tell(ev.PowerRemoved())
    assert [type(effect) for effect in effects] == [fx.StateShown]
    assert (stage.state, stage.session) == ("OFF", "DOWN")
    assert stage.device.next_deadline_ms() is None
