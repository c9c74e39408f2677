"""What LAN clients ask of a bound device, and the exact words of its answers."""

import json

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.lan_children import cid
from firmware_sim.errors import PeerError
from firmware_sim.wire import (
    datapoint,
    lan_body,
    lan_frame,
    lan_frame_gcm,
    lan_message,
    mqtt,
    mqtt_payload,
)
from firmware_sim.wire.ciphers import ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_version import LanVersion
from tests.device.lan_peer import NONCE, Peer, bound, settable
from tests.device.stage import DEV_ID, LOCAL_KEY, UUID, Stage

ALL = tuple(LanVersion)
FLAT = (LanVersion.V31, LanVersion.V32, LanVersion.V33)


def peer_of(version: LanVersion, profile: str = "gateway") -> Peer:
    return Peer(bound(version, profile), version).negotiated()


def status(frame: Frame) -> lan_body.Status:
    return lan_body.decode_status(frame.payload)


def with_firmware(stage: Stage, **changes: object) -> None:
    profile = stage.device.profile
    firmware = msgspec.structs.replace(profile.firmware, **changes)
    stage.device.profile = msgspec.structs.replace(profile, firmware=firmware)


def refusal(frames: list[Frame]) -> bytes:
    (frame,) = frames
    assert frame.return_code == 1
    return frame.payload


def initial(stage: Stage) -> dict[int, datapoint.Value]:
    return {point.id: point.initial for point in stage.device.profile.data_points}


# --- status -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize("profile", ["gateway", "nvr", "ipc-red-green"])
def test_a_query_is_answered_with_all_values(version: LanVersion, profile: str) -> None:
    peer = peer_of(version, profile)
    (answer,) = peer.query()
    assert (answer.command, answer.return_code) == (lan_body.query_command(version), 0)
    assert status(answer).dps == initial(peer.stage)


@pytest.mark.parametrize("version", FLAT)
def test_a_query_that_is_no_json_is_refused_in_the_vendors_words(version: LanVersion) -> None:
    peer = peer_of(version)
    assert refusal(peer.ask(Command.DP_QUERY, b"")) == b"data format error"
    assert refusal(peer.ask(Command.DP_QUERY, b"\xde\xad\xbe\xef")) == b"data format error"


def test_a_query_under_another_key_gets_an_answer_that_its_sender_cannot_read() -> None:
    peer = peer_of(LanVersion.V33)
    query = Frame(1, Command.DP_QUERY, b'{"devId":"x"}')
    data = lan_message.seal(query, LanVersion.V33, b"another key 1234")
    assert refusal(peer.send(data)) == b"data format error"


def test_only_version_31_minds_which_device_is_meant() -> None:
    body = b'{"gwId":"somebody","devId":"somebody"}'
    assert refusal(peer_of(LanVersion.V31).ask(Command.DP_QUERY, body)) == b"devid not found"
    (answer,) = peer_of(LanVersion.V33).ask(Command.DP_QUERY, body)
    assert answer.return_code == 0


def test_a_device_of_the_odd_class_is_asked_in_another_way() -> None:
    stage = bound(LanVersion.V33)
    with_firmware(stage, device22=True)
    peer = Peer(stage, LanVersion.V33)
    assert refusal(peer.query()) == b"json obj data unvalid"
    asked = json.dumps({"devId": DEV_ID, "t": "1", "dps": dict.fromkeys(initial(stage), None)})
    (answer,) = peer.ask(Command.CONTROL_NEW, asked.encode())
    assert status(answer).dps == initial(stage)


@pytest.mark.parametrize("version", FLAT)
@pytest.mark.parametrize("command", [Command.CONTROL, Command.CONTROL_NEW])
def test_values_are_asked_for_by_setting_them_to_nothing(
    version: LanVersion, command: Command
) -> None:
    """The answer is that to a query: one public client takes no other command for it."""
    peer = peer_of(version)
    known = next(iter(initial(peer.stage)))
    body = b'{"devId":"x","dps":{"%d":null,"250":null}}' % known
    (answer,) = peer.ask(command, body)
    assert (answer.command, answer.sequence) == (Command.DP_QUERY, peer.sequence)
    assert status(answer).dps == {known: initial(peer.stage)[known]}
    heard = peer.ask(command, b'{"dps":{"250":null}}')
    assert heard[0].command == Command.DP_QUERY
    assert refusal(heard) == b"json obj data unvalid"


# --- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ALL)
def test_a_setting_is_acknowledged_then_pushed_then_kept(version: LanVersion) -> None:
    peer = peer_of(version)
    number, value = settable(peer.stage)
    acknowledgement, push = peer.control({number: value})
    assert (acknowledgement.command, acknowledgement.payload) == (
        lan_body.control_command(version),
        b"",
    )
    assert push.command == Command.STATUS
    assert status(push).dps == {number: value}
    (answer,) = peer.query()
    assert status(answer).dps[number] is value


@pytest.mark.parametrize("version", ALL)
def test_a_push_has_the_form_of_its_version(version: LanVersion) -> None:
    peer = peer_of(version)
    number, value = settable(peer.stage)
    push = json.loads(peer.control({number: value})[1].payload)
    t_s = peer.stage.now_ms // 1000
    dps = {str(number): value}
    if version in FLAT:
        assert push == {"devId": DEV_ID, "dps": dps, "t": t_s}
    else:
        assert push == {"protocol": 4, "t": t_s, "data": {"dps": dps}}


def reports(stage: Stage) -> list[dict[int, datapoint.Value]]:
    """Return what was reported to the cloud."""
    found = []
    for packet in stage.packets():
        if isinstance(packet, mqtt.Publish) and packet.topic == mqtt_payload.topic_out(DEV_ID):
            message = mqtt_payload.decode(LOCAL_KEY.encode(), packet.payload)
            data = mqtt_payload.data_of(message, mqtt_payload.DpCommand)
            found.append(datapoint.decode_dps(data.dps))
    return found


def test_a_setting_by_lan_is_reported_to_the_cloud() -> None:
    peer = peer_of(LanVersion.V34)
    number, value = settable(peer.stage)
    peer.control({number: value})
    assert reports(peer.stage)[-1] == {number: value}


def test_a_setting_by_the_cloud_is_pushed_to_the_lan() -> None:
    peer = peer_of(LanVersion.V34)
    number, value = settable(peer.stage)
    dps = datapoint.encode_dps({number: value})
    (push,) = peer.heard(peer.stage.message(mqtt_payload.encode_dp_command(1, dps)))
    assert (push.command, push.sequence) == (Command.STATUS, 0)
    assert status(push).dps == {number: value}


def test_without_a_cloud_a_setting_waits_for_the_next_session() -> None:
    peer = peer_of(LanVersion.V33)
    stage = peer.stage
    number, value = settable(stage)
    stage.tell(ev.MqttClosed("reset"))
    count = len(stage.packets())
    assert len(peer.control({number: value})) == 2
    assert len(stage.packets()) == count
    stage.wait(100)
    stage.connect()
    assert reports(stage)[-1][number] is value


def test_what_cannot_be_set_is_acknowledged_and_nothing_else() -> None:
    peer = peer_of(LanVersion.V33, "nvr")
    (acknowledgement,) = peer.control({110: 3, 249: True})
    assert (acknowledgement.return_code, acknowledgement.payload) == (0, b"")
    (note,) = [note for note in peer.stage.all(fx.Noted) if note.kind == "dp_refused"]
    assert note.detail == "data point 110 cannot be set; 1 more"
    assert status(peer.query()[0]).dps == initial(peer.stage)


@pytest.mark.parametrize("version", ALL)
def test_a_setting_without_data_points_is_refused(version: LanVersion) -> None:
    peer = peer_of(version)
    command = lan_body.control_command(version)
    for body in (b"{}", b'{"protocol":5,"data":{}}'):
        assert refusal(peer.ask(command, body)) == b"data format error"
    for body in (b"hello", b"[]", b'{"dps":7}'):
        assert refusal(peer.ask(command, body)) == b"parse data error"


def test_a_setting_that_cannot_be_decrypted_is_refused_with_33_and_ignored_with_31() -> None:
    control = Frame(1, Command.CONTROL, b'{"dps":{"1":true}}')
    for version in (LanVersion.V31, LanVersion.V33):
        peer = peer_of(version)
        heard = peer.send(lan_message.seal(control, version, b"another key 1234"))
        if version is LanVersion.V33:
            assert refusal(heard) == b"parse data error"
        else:
            assert heard == []


# --- refresh, heartbeat, what nobody knows ------------------------------------------------------


@pytest.mark.parametrize("version", ALL)
def test_a_refresh_is_acknowledged_and_pushed(version: LanVersion) -> None:
    peer = peer_of(version)
    known = next(iter(initial(peer.stage)))
    acknowledgement, push = peer.ask(Command.DP_REFRESH, lan_body.encode_refresh((known, 251)))
    assert (acknowledgement.return_code, acknowledgement.payload) == (0, b"")
    assert status(push).dps == {known: initial(peer.stage)[known]}
    assert len(peer.ask(Command.DP_REFRESH, lan_body.encode_refresh((251,)))) == 1
    _, push = peer.ask(Command.DP_REFRESH, b"{}")
    assert status(push).dps == initial(peer.stage)
    assert refusal(peer.ask(Command.DP_REFRESH, b"?")) == b"data format error"


@pytest.mark.parametrize("version", ALL)
def test_a_heartbeat_is_answered_whatever_is_in_it(version: LanVersion) -> None:
    peer = peer_of(version)
    for body in (b"", b"{}", b"nonsense"):
        (answer,) = peer.ask(Command.HEART_BEAT, body)
        assert (answer.command, answer.return_code, answer.payload) == (Command.HEART_BEAT, 0, b"")


def test_unknown_commands_are_noted() -> None:
    peer = peer_of(LanVersion.V35)
    assert peer.ask(0x77) == []
    assert peer.stage.notes()[-1] == "lan_ignored"


def test_a_token_under_the_session_key_is_refused() -> None:
    peer = peer_of(LanVersion.V35)
    assert refusal(peer.ask(Command.TOKEN_BIND, b'{"token":"EUabcd1234pro0"}')) == b""
    assert peer.stage.state == "ONLINE"


# --- sub-devices --------------------------------------------------------------------------------


def child_of(stage: Stage, *, online: bool = True) -> int:
    return next(
        n for n, child in enumerate(stage.device.profile.children) if child.online == online
    )


@pytest.mark.parametrize("version", ALL)
def test_a_child_is_asked_and_set_by_its_node_id(version: LanVersion) -> None:
    peer = peer_of(version)
    number = next(
        n
        for n, child in enumerate(peer.stage.device.profile.children)
        if child.online and any(point.mode == "rw" for point in child.data_points)
    )
    node_id = cid(UUID, number)
    child = peer.stage.device.profile.children[number]
    point = next(p for p in child.data_points if p.mode == "rw" and isinstance(p.initial, bool))
    (answer,) = peer.query(node_id)
    assert status(answer).cid == node_id
    assert status(answer).dps == {p.id: p.initial for p in child.data_points}
    reported = len(reports(peer.stage))
    _, push = peer.control({point.id: not point.initial}, node_id)
    assert (status(push).cid, status(push).dps) == (node_id, {point.id: not point.initial})
    assert status(peer.query(node_id)[0]).dps[point.id] is not point.initial
    assert status(peer.query()[0]).dps == initial(peer.stage), "the gateway's own are not touched"
    assert len(reports(peer.stage)) == reported


def test_a_child_out_of_reach_or_unknown_has_nothing_to_report() -> None:
    peer = peer_of(LanVersion.V34)
    away = cid(UUID, child_of(peer.stage, online=False))
    for node_id in (away, "0011223344556677"):
        assert refusal(peer.query(node_id)) == b"json obj data unvalid"
        assert refusal(peer.control({1: True}, node_id)) == b"json obj data unvalid"


def test_which_children_are_in_reach() -> None:
    peer = peer_of(LanVersion.V35)
    children = peer.stage.device.profile.children
    (answer,) = peer.ask(Command.EXT_STREAM, lan_body.encode_child_query(()))
    seen = lan_body.decode_child_report(answer.payload)
    assert set(seen.online) == {cid(UUID, n) for n, child in enumerate(children) if child.online}
    assert set(seen.online) | set(seen.offline) == {cid(UUID, n) for n in range(len(children))}
    asked = (cid(UUID, child_of(peer.stage, online=False)), "unknown")
    (answer,) = peer.ask(Command.EXT_STREAM, lan_body.encode_child_query(asked))
    assert lan_body.decode_child_report(answer.payload) == lan_body.ChildStatus((), asked[:1])
    assert refusal(peer.ask(Command.EXT_STREAM, b"?")) == b"data format error"


@pytest.mark.parametrize("version", ALL)
def test_a_child_is_refreshed_by_its_node_id(version: LanVersion) -> None:
    peer = peer_of(version)
    number = child_of(peer.stage)
    point = peer.stage.device.profile.children[number].data_points[0]
    asked = lan_body.encode_refresh((point.id, 251), cid(UUID, number))
    acknowledgement, push = peer.ask(Command.DP_REFRESH, asked)
    assert (acknowledgement.return_code, acknowledgement.payload) == (0, b"")
    assert status(push) == lan_body.Status(
        {point.id: point.initial}, cid(UUID, number), status(push).dev_id
    )
    away = cid(UUID, child_of(peer.stage, online=False))
    assert len(peer.ask(Command.DP_REFRESH, lan_body.encode_refresh((), away))) == 1


# --- removal over the LAN: our convention -------------------------------------------------------


@pytest.mark.parametrize("command", [Command.GATEWAY_RESET, Command.LAN_RESET])
@pytest.mark.parametrize("version", ALL[1:])
def test_a_client_that_knows_the_key_may_remove_the_device(
    version: LanVersion, command: Command
) -> None:
    stage = bound(version)
    peer = Peer(stage, version).negotiated()
    other = Peer(stage, version, 2).negotiated()
    before = len(stage.said)
    heard = peer.ask(command, b"{}")
    assert [(frame.command, frame.return_code) for frame in heard] == [
        (command, 0),
        (Command.GATEWAY_UNBOUND, 0),
    ]
    assert [frame.command for frame in other.heard(stage.said[before:])] == [
        Command.GATEWAY_UNBOUND
    ]
    assert stage.state == "RESETTING"
    assert fx.CloseLan() in stage.said[before:]
    stage.wait(20_000)
    assert stage.state == "WAITING"
    assert not stage.device.flash.activated
    assert stage.device.operator == "waiting", "the cloud released nothing"


def test_what_comes_behind_a_removal_is_not_read() -> None:
    peer = peer_of(LanVersion.V33)
    before = len(peer.stage.packets())
    removal = peer.frame(Command.GATEWAY_RESET, b"{}")
    number, value = settable(peer.stage)
    setting = lan_body.encode_control(LanVersion.V33, DEV_ID, 1, {number: value})
    heard = peer.send(removal + peer.frame(Command.CONTROL, setting) + removal)
    assert [frame.command for frame in heard] == [Command.GATEWAY_RESET, Command.GATEWAY_UNBOUND]
    assert peer.stage.device.flash.values is None
    calls = [p for p in peer.stage.packets()[before:] if isinstance(p, mqtt.Publish)]
    assert len(calls) == 1, "the cloud is told once"


def test_nobody_is_removed_without_a_proof() -> None:
    peer = peer_of(LanVersion.V31)
    assert refusal(peer.ask(Command.GATEWAY_RESET, b"{}")) == b"parse data error"
    peer = peer_of(LanVersion.V33)
    naked = Frame(1, Command.GATEWAY_RESET, b"{}")
    other = lan_message.seal(naked, LanVersion.V33, b"another key 1234", nonce=NONCE)
    assert refusal(peer.send(other)) == b"parse data error"
    by_chance = ecb_encrypt(LOCAL_KEY.encode(), b"the padding fits")
    frame = lan_frame.encode(Frame(1, Command.GATEWAY_RESET, by_chance))
    assert refusal(peer.send(frame)) == b"parse data error"
    assert refusal(peer.send(lan_frame.encode(naked))) == b"parse data error"
    assert peer.stage.state == "ONLINE"


@pytest.mark.parametrize("version", ALL[3:])
def test_under_a_session_key_nothing_more_is_to_be_proven(version: LanVersion) -> None:
    peer = peer_of(version)
    naked = Frame(9, Command.GATEWAY_RESET, b"")
    sealed = (
        lan_frame_gcm.encode(naked, peer.key, NONCE)
        if version.sealed
        else lan_frame.encode(naked, peer.key)
    )
    assert [frame.return_code for frame in peer.send(sealed)] == [0, 0]
    assert peer.stage.state == "RESETTING"


def test_status_bodies_are_read_back_as_they_were_meant() -> None:
    with pytest.raises(PeerError):
        lan_body.decode_status(b"json obj data unvalid")
