"""The cloud as a client of somebody else's broker: both lines, and the stories over them."""

import msgspec
import pytest

from firmware_sim.wire import mqtt_payload, mqtt_rpc
from firmware_sim.wire.ciphers import aes_key
from fleet.cloud.external.lines import (
    AcknowledgeOnLine,
    Line,
    LineDown,
    LineHeard,
)
from fleet.cloud.external.mosquitto import TOPIC_NOTICES
from fleet.cloud.messages import ClockMoved, Commit
from tests.cloud.external.plugin import ADMIN, AtMosquitto, activation, go_online
from tests.cloud.support import ADMIN as SECRET
from tests.cloud.support import SETTINGS, FakeDevice, assert_reloads


@pytest.fixture
def world() -> AtMosquitto:
    world = AtMosquitto()
    world.begin()
    return world


@pytest.fixture
def device(world: AtMosquitto) -> FakeDevice:
    device = FakeDevice(world, 0)
    assert go_online(device) == 0
    return device


def told(device: FakeDevice) -> list[mqtt_payload.Message]:
    """Return what a device was told since, decrypted."""
    world = device.world
    assert isinstance(world, AtMosquitto)
    said, world.said = world.said, []
    assert {effect.topic for effect in said} <= {mqtt_payload.topic_in(device.dev_id)}
    return [mqtt_payload.decode(aes_key(device.local_key), effect.payload) for effect in said]


def report(world: AtMosquitto, device: FakeDevice, mid: int = 0) -> None:
    json = mqtt_payload.encode_dp_report(device.dev_id, world.now_ms // 1000, b'{"1":true}')
    payload = mqtt_payload.encode(aes_key(device.local_key), json, 1, mqtt_payload.SOURCE_DEVICE)
    world.hear(mqtt_payload.topic_out(device.dev_id), payload, Line.DEVICES, mid)


def unbind(world: AtMosquitto, device: FakeDevice) -> None:
    token = world.unbind_token(world.account("repair"))["token"]
    assert device.activate(token) == ""


# --- devices ------------------------------------------------------------------------------------


def test_a_device_comes_online_and_goes(world: AtMosquitto, device: FakeDevice) -> None:
    assert world.get("GET", "/admin/v1/stats", None, SECRET)["mqtt_clients"] == 1
    world.leave(device.dev_id, "closed its connection")
    world.settle()
    assert world.log(device.uuid) == ["online", "offline"]
    assert [push.biz_code for push in world.pushes] == ["online", "offline"]


def test_a_report_is_acknowledged_behind_its_commit(world: AtMosquitto, device: FakeDevice) -> None:
    report(world, device, mid=7)
    effects = world.cloud.handle(world.todo.popleft(), world.now_ms)
    kinds = [type(effect) for effect in effects]
    assert kinds[0] is Commit
    assert AcknowledgeOnLine(world.sessions[Line.DEVICES], 7) in effects
    world.carry_out(effects)
    assert world.state.data_points.get(device.dev_id)
    report(world, device)
    world.settle()
    assert world.acknowledged == [7], "what came at QoS 0 is not acknowledged"
    assert_reloads(world)


def test_what_is_dropped_is_acknowledged_as_well(world: AtMosquitto) -> None:
    world.hear("smart/device/out/bfnobody", b"x", Line.DEVICES, 1)
    world.hear("another/topic", b"x", Line.DEVICES, 2)
    world.settle()
    assert world.acknowledged == [1, 2]


def test_a_command_reaches_a_device_that_is_there(world: AtMosquitto, device: FakeDevice) -> None:
    known = world.state.devices.get(device.uuid)
    assert known is not None
    assert world.rule(lambda _: world.cloud._link.command(known, {1: True}, world.now_ms))
    [message] = told(device)
    assert message.protocol == mqtt_payload.Protocol.DP_COMMAND
    world.leave(device.dev_id)
    world.settle()
    assert not world.rule(lambda _: world.cloud._link.command(known, {1: True}, world.now_ms))
    assert world.said == []


def test_a_call_is_answered_even_if_the_log_is_late(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    payload = mqtt_rpc.encode_request(7, "tuya.device.timer.count", "4.0", 1, b"{}")
    world.hear(mqtt_payload.topic_rpc_request(device.dev_id), payload, Line.DEVICES)
    world.settle()
    [answer] = world.said
    assert (answer.topic, answer.qos) == (f"rpc/rsp/{device.dev_id}", 0)


def test_an_unbound_device_is_told_to_reset_and_refused_from_then_on(
    world: AtMosquitto, device: FakeDevice
) -> None:
    world.leave(device.dev_id)
    unbind(world, device)
    assert go_online(device) == 0
    [message] = told(device)
    assert message.protocol == mqtt_payload.Protocol.RESET
    world.unsubscribe(device.dev_id, mqtt_payload.topic_in(device.dev_id))
    world.settle()
    assert world.log(device.uuid)[-3:] == ["reset_sent", "reset_confirmed", "offline"]
    assert device.dev_id not in world.here, "its credentials are void"
    assert go_online(device) == 5
    assert device.sync() == "reset"


def test_one_that_is_lost_before_it_could_hear_is_told_again(
    world: AtMosquitto, device: FakeDevice
) -> None:
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    assert len(told(device)) == 1
    world.leave(device.dev_id, "closed its connection")
    world.settle()
    assert go_online(device) == 0
    assert len(told(device)) == 1
    world.leave(device.dev_id)
    world.settle()
    assert world.log(device.uuid)[-3:] == ["reset_sent", "reset_confirmed", "offline"]


def test_an_activation_ends_the_connection_with_the_old_keys(
    world: AtMosquitto, device: FakeDevice
) -> None:
    unbind(world, device)
    assert device.dev_id not in world.here
    assert world.log(device.uuid) == ["online", "unbound", "offline"]
    world.settle()
    assert world.log(device.uuid)[-1] == "offline", "told once"


def test_a_token_reaches_a_device_that_waits(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    password = mqtt_payload.mqtt_password(device.auth_key)
    topic = mqtt_payload.topic_activation(device.uuid)
    assert world.come(f"acon_{device.uuid}", password, topic) == 0
    known = world.state.devices.get(device.uuid)
    assert known is not None
    assert world.cloud._link.waiting(known)
    world.leave(f"acon_{device.uuid}")
    world.settle()
    assert not world.cloud._link.waiting(known)


# --- the lines ----------------------------------------------------------------------------------


def test_a_lost_line_takes_the_other_with_it_and_all_begins_anew(
    world: AtMosquitto, device: FakeDevice
) -> None:
    lose(world)
    assert world.sessions == {}
    assert world.log(device.uuid) == ["online", "offline"]
    assert world.lines == ["broker: lost; trying again"]
    known = world.state.devices.get(device.uuid)
    assert known is not None
    assert not world.rule(lambda _: world.cloud._link.command(known, {1: True}, world.now_ms))
    world.later(249)
    assert world.sessions == {}
    world.later(1)
    assert set(world.sessions) == set(Line)
    assert world.prepared == 1, "that is of interest at first only"
    assert device.dev_id not in world.here, "the roll was called"
    assert go_online(device) == 0
    assert world.log(device.uuid)[-1] == "online"
    assert world.lines[1:] == ["broker: connected again"]


def lose(world: AtMosquitto, line: Line = Line.CONTROL) -> None:
    world.sessions.pop(line)
    world.handle(LineDown(line, "lost"))
    world.settle()


def test_pauses_grow_and_are_short_again_after_success(world: AtMosquitto) -> None:
    world.out_of_reach = True
    lose(world, Line.DEVICES)
    pauses = []
    for _ in range(8):
        due_ms = world.next_due()
        assert due_ms is not None
        pauses.append(due_ms - world.now_ms)
        world.later(pauses[-1])
    assert pauses == [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]
    lost, away, back = (
        "broker: lost; trying again",
        "broker: it is not there; trying again",
        "broker: connected again",
    )
    assert world.lines == [lost, away], "each reason once, not each time"
    world.out_of_reach = False
    world.later(15_000)
    assert set(world.sessions) == set(Line)
    world.later(9_999)
    lose(world)
    assert world.next_due() == world.now_ms + 15_000, "it did not last"
    world.later(15_000)
    world.later(9_000)
    world.get("DELETE", "/app/v1/devices/bfdevice00000000000000", None, world.consumer(0))
    world.later(1_000)
    lose(world)
    assert world.next_due() == world.now_ms + 250
    assert world.lines == [lost, away, back, lost, back, lost]


def test_lines_that_do_not_last_are_told_of_once(world: AtMosquitto) -> None:
    for _ in range(5):
        lose(world)
        due_ms = world.next_due()
        assert due_ms is not None
        world.later(due_ms - world.now_ms)
    assert world.lines == ["broker: lost; trying again", "broker: connected again"]


def test_another_cloud_on_the_same_broker_is_named_once(world: AtMosquitto) -> None:
    ours = world.control_client
    other = ours[:-1] + ("a" if ours[-1] != "a" else "b")
    said = "New client connected from 127.0.0.1:5 as {} (p2, c1, k30, u'{}')."
    told = [(ours, ADMIN), (other, "somebody"), ("watch", ADMIN), (other, ADMIN), (other, ADMIN)]
    for client_id, username in told:
        world.note(TOPIC_NOTICES, said.format(client_id, username))
        world.settle()
    assert world.lines == [
        "broker: another cloud connects to it too; end one, as they cut each other off"
    ]
    world.kill_and_restart()
    assert world.control_client != ours, "another process"


def test_a_broker_that_lets_us_hear_nothing_is_named_to_the_operator() -> None:
    world = AtMosquitto()
    world.refused_filters = ("$SYS/broker/log/N",)
    world.begin()
    assert world.prepared == 0
    assert world.whys == ["it does not let us subscribe to $SYS/broker/log/N"]
    assert world.lines == [], "whoever starts the cloud is told by its failure"


def test_a_broker_that_does_not_tell_who_connects_is_of_no_use() -> None:
    world = AtMosquitto()
    world.tells = False
    world.begin()
    assert world.prepared == 0
    world.later(4_999)
    assert set(world.sessions) == set(Line)
    world.later(1)
    assert set(world.whys) == {"it does not tell who connects and subscribes"}
    world.tells = True
    world.later(250)
    assert world.prepared == 1
    assert world.next_due() is None


def test_what_comes_from_a_line_that_was_given_up_does_not_count(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    old = world.sessions[Line.DEVICES]
    lose(world)
    world.later(250)
    topic = mqtt_payload.topic_out(device.dev_id)
    world.handle(LineHeard(Line.DEVICES, old, topic, b"x", 3))
    assert world.acknowledged == []
    assert world.state.counts["mqtt_messages_dropped"] == 0


def test_a_plugin_that_says_nothing_is_given_up_after_half_a_minute(world: AtMosquitto) -> None:
    world.mute = True
    known = world.state.devices.get("uuid0000")
    assert known is not None
    world.get("DELETE", f"/app/v1/devices/{known.dev_id}", None, world.consumer(0))
    world.later(29_999)
    assert set(world.sessions) == set(Line)
    world.mute = False
    world.later(1)
    assert world.lines == ["broker: its dynamic security does not answer; trying again"]
    world.later(250)
    assert go_online(FakeDevice(world, 0)) == 5


def test_a_clock_that_is_moved_makes_nobody_late(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    token = world.unbind_token(world.account("repair"))["token"]
    world.mute = True
    assert device.world.send("POST", *activation(device, token)) == b""
    for is_lost in (False, True):
        if is_lost:
            lose(world)
        before_ms = world.next_due()
        world.now_ms += 86_400_000
        world.handle(ClockMoved(86_400_000))
        assert before_ms is not None
        assert world.next_due() == before_ms + 86_400_000
    assert world.lines == ["broker: lost; trying again"]


def test_a_mosquitto_without_roll_call_lets_its_clients_stay() -> None:
    world = AtMosquitto(msgspec.structs.replace(SETTINGS, broker_roll_call=False))
    world.begin()
    device = FakeDevice(world, 0)
    go_online(device)
    lose(world)
    world.later(250)
    assert device.dev_id in world.here
    assert world.get("GET", "/admin/v1/stats", None, SECRET)["mqtt_clients"] == 0
    report(world, device)
    world.settle()
    assert world.get("GET", "/admin/v1/stats", None, SECRET)["mqtt_clients"] == 1
