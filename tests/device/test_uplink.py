"""Calls while a session stands: over MQTT with an answer or without, or over HTTP, one by one."""

from collections.abc import Callable

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import uplink
from firmware_sim.device.device import Device
from firmware_sim.wire import atop, mqtt, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop import Inner
from tests.device.stage import DEV_ID, LOCAL_KEY, SEC_KEY, Stage, online

ASKED = messages.MetaSave(metas={"catIccId": "1"}, t=5)


def asked(stage: Stage) -> list[Inner | None]:
    """Ask something; return the list into which its answer will come."""
    answers: list[Inner | None] = []
    with_stage(stage, lambda device: uplink.ask(device, messages.META_SAVE, ASKED, keep(answers)))
    return answers


def keep(answers: list[Inner | None]) -> uplink.Answered:
    return lambda _, inner: answers.append(inner)


def with_stage(stage: Stage, act: Callable[[Device], object]) -> None:
    """Let the device do something as if it were in the middle of a step."""
    device = stage.device
    device.now_ms, device._out = stage.now_ms, []
    act(device)
    stage.said += device._out


def settled(profile: str = "ipc-red-green") -> Stage:
    """Return a device that has asked what it asks at a start, and was answered."""
    stage = online(profile)
    stage.wait(2000)
    while stage.device.errands:
        stage.reply_success()
    if stage.device.awaited:
        stage.answer_call()
    return stage


def test_an_answer_finds_its_question() -> None:
    stage = settled()
    first, second = asked(stage), asked(stage)
    stage.answer_call(b'{"a":1}')
    assert (first, len(second)) == ([], 1)
    assert second[0] is not None
    assert bytes(second[0].result) == b'{"a":1}'
    stage.answer_call(b'{"a":1}')
    assert len(second) == 1, "it is answered already"
    assert set(stage.device.awaited or ()) == {stage.device.rpc_id - 1}


def test_a_refusal_is_an_answer() -> None:
    stage = settled()
    answers = asked(stage)
    stage.answer_call(code="BUSY")
    assert answers[0] is not None
    assert (answers[0].success, uplink.result_of(answers[0])) == (False, b"")


def test_no_answer_in_eight_seconds_is_none() -> None:
    stage = settled()
    answers = asked(stage)
    stage.wait(7999)
    assert answers == []
    stage.wait(1)
    assert (answers, stage.device.awaited) == ([None], None)


def test_a_cloud_that_never_answers_is_not_asked_for_ever() -> None:
    stage = settled()
    for _ in range(100):
        stage.message(mqtt_payload.encode_upgrade_notice(DEV_ID, 1))
        stage.wait(100)
    assert len(stage.device.awaited or ()) <= uplink.CALLS_MAX
    assert [call.a for call in stage.calls()].count("tuya.device.upgrade.get") == uplink.CALLS_MAX
    stage.wait(8000)
    assert stage.device.awaited is None


@pytest.mark.parametrize("profile", ["ipc-red-green", "ipc-old"])
def test_whoever_asks_too_much_is_told_so(profile: str) -> None:
    stage = settled(profile)
    made: list[bool] = []
    for _ in range(uplink.CALLS_MAX + 1):
        with_stage(
            stage,
            lambda device: made.append(uplink.ask(device, messages.META_SAVE, ASKED, keep([]))),
        )
    assert made == [True] * uplink.CALLS_MAX + [False]


def test_a_session_that_ends_answers_nobody() -> None:
    stage = settled()
    answers = asked(stage)
    stage.tell(ev.MqttClosed("reset"))
    assert stage.device.awaited is None
    stage.wait(1000)
    stage.connect()
    assert stage.device.rpc_id == 0, "calls are numbered from one in each connection"
    asked(stage)
    stage.answer_call()
    stage.wait(9000)
    assert answers == []


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"id":1}', b"\xff"])
def test_an_answer_that_cannot_be_read_is_noted(payload: bytes) -> None:
    stage = settled()
    stage.hear(mqtt.Publish(mqtt_payload.topic_rpc_response(DEV_ID), payload))
    assert (stage.session, stage.notes()[-1]) == ("UP", "bad_message")


def test_an_answer_that_makes_no_sense_is_noted() -> None:
    stage = settled()

    def read(_: Device, inner: Inner | None) -> None:
        messages.decode(uplink.result_of(inner), messages.SyncResult)

    with_stage(stage, lambda device: uplink.ask(device, messages.META_SAVE, ASKED, read))
    stage.answer_call(b'{"status":"on fire"}')
    assert (stage.session, stage.notes()[-1]) == ("UP", "bad_reply")


def test_numbers_of_calls_have_sixteen_bits() -> None:
    stage = settled()
    stage.device.rpc_id = 0xFFFE
    asked(stage)
    asked(stage)
    assert [call.id for call in stage.calls()[-2:]] == [0xFFFF, 1]


# --- over HTTP ----------------------------------------------------------------------------------


def test_the_oldest_firmware_calls_over_http_one_by_one() -> None:
    stage = settled("ipc-old")
    made = len(stage.all(fx.SendHttp))
    first, second = asked(stage), asked(stage)
    assert len(stage.all(fx.SendHttp)) == made + 1, "the second one stands in line"
    query = atop.decode_query(stage.last(fx.SendHttp).target)
    assert (query.a, query.old, query.et) == ("tuya.device.meta.save", True, 0)
    stage.reply_success(b'{"a":1}')
    assert (len(first), second) == (1, [])
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "timeout"))
    assert second == [None]
    assert (stage.session, stage.device.errands) == ("UP", ())
    assert stage.calls() == []


def test_a_bad_answer_over_http_is_none() -> None:
    stage = settled("ipc-old")
    answers = asked(stage)
    stage.reply(b"\xff")
    assert (answers, stage.notes()[-1], stage.session) == ([None], "bad_reply", "UP")


def test_the_line_has_an_end() -> None:
    stage = settled("ipc-old")
    for _ in range(uplink.CALLS_MAX + 5):
        asked(stage)
    assert len(stage.device.errands) == uplink.CALLS_MAX


def test_who_stands_in_line_when_the_session_ends_is_forgotten() -> None:
    stage = settled("ipc-old")
    answers = [*asked(stage), *asked(stage)]
    late = stage.last(fx.SendHttp).call
    stage.tell(ev.MqttClosed("reset"))
    assert stage.device.errands == ()
    assert stage.tell(ev.HttpReplied(late, 200, b"{}")) == []
    assert answers == []


def test_a_call_may_begin_before_all_subscriptions_stand() -> None:
    stage = online("ipc-old")
    stage.tell(ev.MqttClosed("reset"))
    stage.wait(101)
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(0))
    assert stage.session == "SUBSCRIBING"
    answers = asked(stage)
    stage.reply_success()
    assert len(answers) == 1


# --- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "version", "source"),
    [
        ("ipc-old", b"2.1", b""),
        ("ipc-red-green", b"2.2", b"\x01\x00\x00\x00"),
        ("ipc-new", b"2.3", b"\x00\x00\x00\x01"),
    ],
)
def test_messages_are_wrapped_as_the_generation_does_it(
    profile: str, version: bytes, source: bytes
) -> None:
    stage = online(profile)
    (report,) = (packet for packet in stage.packets() if isinstance(packet, mqtt.Publish))
    assert report.payload.startswith(version)
    at = {b"2.2": 11, b"2.3": 7}.get(version, 0)
    assert report.payload[at : at + len(source)] == source
    assert mqtt_payload.decode(LOCAL_KEY.encode(), report.payload).protocol == 4


def test_no_nonce_comes_twice() -> None:
    stage = online("ipc-new")
    for _ in range(3):
        stage.message(mqtt_payload.encode_dp_command(1, b'{"101":false}'))
    payloads = [packet.payload for packet in stage.packets() if isinstance(packet, mqtt.Publish)]
    nonces = {payload[12:24] for payload in payloads}
    assert len(nonces) == len(payloads) == 4
    calls = [call for call in stage.all(fx.SendHttp) if call.target.startswith("/d.json")]
    assert atop.decode_query(calls[0].target).et == 3
    assert atop.decode_request_body(calls[0].body, SEC_KEY, 3).startswith(b'{"versions"')


def test_a_call_that_nobody_waits_for_is_not_remembered() -> None:
    stage = settled()
    with_stage(stage, lambda device: uplink.ask(device, messages.META_SAVE, ASKED))
    assert stage.device.awaited is None
    request = stage.calls()[-1]
    assert (request.a, request.v) == ("tuya.device.meta.save", "1.0")
