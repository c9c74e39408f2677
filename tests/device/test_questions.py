"""What a device asks once per boot, and in which order."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.profile import Question
from firmware_sim.wire import atop, mqtt_payload
from firmware_sim.wire.ciphers import aes_key, ecb_decrypt
from tests.device.stage import SEC_KEY, Stage, online

BOTH = (Question.CONFIG, Question.RESTART_LOG)


def asked(stage: Stage) -> list[str]:
    """Return the names of all signed calls over HTTP, in order."""
    targets = (call.target for call in stage.all(fx.SendHttp))
    return [atop.decode_query(target).a for target in targets if "a=" in target]


def carried(stage: Stage) -> bytes:
    """Return what the last call over HTTP carries, to the byte."""
    data = stage.last(fx.SendHttp).body.removeprefix(b"data=")
    return ecb_decrypt(aes_key(SEC_KEY), bytes.fromhex(data.decode()))


def test_the_silent_upgrade_is_asked_for_a_second_after_the_first_time_online() -> None:
    stage = online()
    stage.wait(999)
    assert stage.calls() == []
    stage.wait(1001)
    (call,) = stage.calls()
    assert (call.a, call.v, call.id) == ("tuya.device.upgrade.silent.get", "4.4", 1)
    assert asked(stage) == ["tuya.device.versions.update"]


def test_once_per_boot() -> None:
    stage = online()
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(101)
    stage.connect()
    stage.wait(2000)
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(101)
    stage.connect()
    stage.wait(60_000)
    assert len(stage.calls()) == 1
    stage.tell(ev.PowerRemoved())
    stage.boot()
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.connect()
    stage.wait(2000)
    assert len(stage.calls()) == 2


def test_the_rest_is_asked_over_http_one_after_the_other() -> None:
    stage = online()
    stage.habits(questions=BOTH)
    stage.wait(2000)
    assert asked(stage)[1:] == ["tuya.device.dynamic.config.get"]
    assert carried(stage).endswith(b"}\x00"), "firmware counts the end of the text in"
    stage.reply_success(b'{"validTime":1800,"time":1700000000,"config":{}}')
    assert asked(stage)[2:] == ["atop.online.debug.log"]
    assert "v=" not in stage.last(fx.SendHttp).target
    stage.reply_success()
    assert (stage.notes(), stage.session) == ([], "UP")
    assert stage.device.errands == ()


@pytest.mark.parametrize(("by_itself", "reason"), [(False, b'"data":0'), (True, b'"data":4')])
def test_the_log_says_why_it_restarted(by_itself: bool, reason: bytes) -> None:
    stage = online()
    stage.habits(questions=(Question.RESTART_LOG,))
    if by_itself:
        stage.hold_button()
        stage.wait(10_000)
        stage.pair()
    stage.wait(2000)
    assert reason in carried(stage)


@pytest.mark.parametrize(
    ("result", "notes"), [(None, []), (b"null", []), (b'{"validTime":"soon"}', ["bad_reply"])]
)
def test_a_configuration_is_read(result: bytes | None, notes: list[str]) -> None:
    stage = online()
    stage.habits(questions=(Question.CONFIG,))
    stage.wait(2000)
    stage.reply_success(result)
    assert (stage.notes(), stage.session) == (notes, "UP")


def test_a_new_configuration_is_asked_for_when_the_cloud_says_so() -> None:
    stage = online()
    stage.wait(2000)
    stage.message(mqtt_payload.encode_config_notice(1))
    assert asked(stage)[-1] == "tuya.device.dynamic.config.get"


def test_the_oldest_firmware_asks_everything_over_http() -> None:
    stage = online("ipc-old")
    stage.wait(2000)
    for _ in range(3):
        stage.reply_success()
    assert asked(stage) == [
        "s.gw.update",
        "tuya.device.upgrade.silent.get",
        "tuya.device.dynamic.config.get",
        "atop.online.debug.log",
    ]
    assert all(call.target.startswith("/gw.json?") for call in stage.all(fx.SendHttp)[1:])
