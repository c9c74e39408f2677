"""One connection in all LAN versions: what is sent, what is understood, and how it ends."""

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import lan_body
from firmware_sim.wire.lan_body import ChildStatus, Status
from firmware_sim.wire.lan_frame import Command, FrameCutter
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.lan_control import (
    ANSWER_MS,
    ASKED_MAX,
    HEARTBEAT_MS,
    LanControl,
    Peer,
    State,
)
from fleet.app.lan_happenings import (
    Acknowledged,
    Answered,
    End,
    Ended,
    Happening,
    Pushed,
    Ready,
    Reason,
    Refused,
    Send,
    Unbound,
)
from tests.app.fake_device import CHILD, DEV_ID, KEY, FakeDevice, FakeLink
from tests.app.lan_pair import CHANCE, NOW_MS, Pair
from tests.wire.support import vector_bytes

VERSIONS = list(LanVersion)
NEGOTIATING = [version for version in LanVersion if version.negotiates]


def status(pair: Pair, cid: str | None = None) -> Happening:
    [answered] = pair.ask(pair.phone.query(pair.now_ms, cid))
    return answered


# --- a good conversation ------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_opens_and_tells_its_values(version: LanVersion) -> None:
    pair = Pair(version).open()
    request = pair.phone.query(NOW_MS)
    [answered] = pair.ask(request)
    assert isinstance(answered, Answered)
    assert answered.number == request.number
    assert isinstance(answered.answer, Status)
    assert answered.answer.dps == {1: False, 101: 7, 102: "Café"}
    assert pair.device.asked == [lan_body.query_command(version)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cid", [None, CHILD])
def test_a_setting_is_acknowledged_and_reported(version: LanVersion, cid: str | None) -> None:
    pair = Pair(version).open()
    request = pair.phone.control(NOW_MS, {1: True, 102: "Thé"}, cid)
    acknowledged, pushed = pair.ask(request)
    assert acknowledged == Answered(request.number, Acknowledged(0))
    assert isinstance(pushed, Pushed)
    assert (pushed.status.dps, pushed.status.cid) == ({1: True, 102: "Thé"}, cid)
    assert pair.device.values(cid)[1] is True
    assert pair.device.asked == [lan_body.control_command(version)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sub_device_answers_for_itself(version: LanVersion) -> None:
    answered = status(Pair(version).open(), CHILD)
    assert isinstance(answered, Answered)
    assert isinstance(answered.answer, Status)
    assert (answered.answer.dps, answered.answer.cid) == ({1: True}, CHILD)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_gateway_tells_which_sub_devices_are_online(version: LanVersion) -> None:
    pair = Pair(version).open()
    for cids, said in (((), ChildStatus((CHILD,))), ((CHILD, "x"), ChildStatus((CHILD,), ("x",)))):
        request = pair.phone.query_children(NOW_MS, cids)
        assert pair.ask(request) == [Answered(request.number, said)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refresh_brings_a_report(version: LanVersion) -> None:
    pair = Pair(version).open()
    acknowledged, pushed = pair.ask(pair.phone.refresh(NOW_MS, (101, 5)))
    assert isinstance(acknowledged, Answered)
    assert isinstance(pushed, Pushed)
    assert pushed.status.dps == {101: 7}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_device_may_speak_unasked(version: LanVersion) -> None:
    pair = Pair(version).open()
    [pushed] = pair.say(pair.link.push({101: 8}, CHILD))
    assert isinstance(pushed, Pushed)
    assert (pushed.status.dps, pushed.status.cid) == ({101: 8}, CHILD)
    assert pair.say(pair.link.say(0, Command.GATEWAY_UNBOUND, b"{}")) == [Unbound()]


@pytest.mark.parametrize("version", VERSIONS)
def test_pieces_of_any_size_are_put_together(version: LanVersion) -> None:
    pair = Pair(version).open()
    request = pair.phone.control(NOW_MS, {1: True})
    reply = pair.link.receive(request.data)
    seen = [happening for byte in reply for happening in pair.say(bytes([byte]))]
    assert [type(happening) for happening in seen] == [Answered, Pushed]


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_go_to_requests_in_order_of_their_command(version: LanVersion) -> None:
    pair = Pair(version).open()
    first, setting = pair.phone.query(NOW_MS), pair.phone.control(NOW_MS, {1: True})
    second = pair.phone.query(NOW_MS)
    seen = pair.ask(setting) + pair.ask(first) + pair.ask(second)
    numbers = [happening.number for happening in seen if isinstance(happening, Answered)]
    assert numbers == [setting.number, first.number, second.number]


def test_frames_and_nonces_are_never_said_twice() -> None:
    pair = Pair(LanVersion.V35)
    [send] = pair.phone.opened(NOW_MS)
    assert isinstance(send, Send)
    pair.deliver([send])
    frames = [send.data] + [pair.phone.query(NOW_MS).data for _ in range(3)]
    raws = FrameCutter().feed(b"".join(frames))
    assert [raw.sequence for raw in raws] == [1, 3, 4, 5]  # 2 ended the negotiation
    assert len({raw.data[18:30] for raw in raws}) == 4


# --- golden frames: as tinytuya says it -----------------------------------------------------------


@pytest.mark.parametrize("version", [LanVersion.V31, LanVersion.V33])
def test_a_setting_is_the_golden_frame(version: LanVersion) -> None:
    name = f"lan{version.replace('.', '')}_control"
    assert Pair(version).open().phone.control(NOW_MS, {1: True}).data == vector_bytes(name, "frame")


def test_a_query_of_3_1_is_the_golden_frame() -> None:
    query = Pair(LanVersion.V31).open().phone.query(NOW_MS)
    assert query.data == vector_bytes("lan31_query", "frame")


def test_a_golden_negotiation_is_followed_to_the_byte() -> None:
    phone = LanControl(Peer(DEV_ID, KEY, LanVersion.V34), CHANCE)
    assert phone.opened(NOW_MS) == [Send(vector_bytes("lan34_session", "start"))]
    answer = phone.received(vector_bytes("lan34_session", "response"), NOW_MS)
    assert answer == [Send(vector_bytes("lan34_session", "finish")), Ready()]
    assert phone.query(NOW_MS).data == vector_bytes("lan34_query", "frame")
    report = Pushed(Status({1: True}))
    assert phone.received(vector_bytes("lan34_status", "frame"), NOW_MS) == [report]


def test_a_golden_negotiation_of_3_5_is_understood() -> None:
    phone = LanControl(Peer(DEV_ID, KEY, LanVersion.V35), CHANCE)
    phone.opened(NOW_MS)
    assert phone.received(vector_bytes("lan35_session", "response"), NOW_MS)[1:] == [Ready()]
    query = phone.query(NOW_MS)
    answer = Answered(query.number, Status({1: True}))
    assert phone.received(vector_bytes("lan35_query_reply", "frame"), NOW_MS) == [answer]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lan_body.NOTHING_TO_REPORT, Reason.NOTHING_TO_REPORT),
        (lan_body.BAD_FORMAT, Reason.BAD_FORMAT),
        (b"no such thing", Reason.OTHER),
    ],
)
def test_an_error_is_an_answer(version: LanVersion, text: bytes, reason: Reason) -> None:
    pair = Pair(version, refusal=text).open()
    for request in (pair.phone.query(NOW_MS), pair.phone.control(NOW_MS, {1: True})):
        refused = Answered(request.number, Refused(reason, text.decode()))
        assert pair.ask(request) == [refused]
    assert pair.phone.state is State.OPEN


# --- the end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [LanVersion.V32, LanVersion.V33])
def test_a_wrong_key_shows_in_the_first_answer(version: LanVersion) -> None:
    pair = Pair(version, key=b"fedcba9876543210")
    assert pair.deliver(pair.phone.opened(NOW_MS)) == [Ready()]
    [ended] = pair.ask(pair.phone.query(NOW_MS))
    assert isinstance(ended, Ended)
    assert ended.why is End.WRONG_KEY
    assert pair.phone.next_deadline_ms() is None


def test_in_3_1_a_wrong_key_shows_in_the_first_report() -> None:
    pair = Pair(LanVersion.V31).open()
    stranger = FakeLink(FakeDevice(LanVersion.V31, "fedcba9876543210"))
    [ended] = pair.say(stranger.push({1: True}))
    assert isinstance(ended, Ended)
    assert ended.why is End.WRONG_KEY


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_device_with_another_key_turns_us_away(version: LanVersion) -> None:
    pair = Pair(version, key=b"fedcba9876543210")
    assert pair.deliver(pair.phone.opened(NOW_MS)) == []
    assert pair.link.closing
    assert pair.phone.closed() == [Ended(End.TURNED_AWAY)]


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_device_that_cannot_prove_itself_is_not_trusted(version: LanVersion) -> None:
    pair = Pair(version, proof_key=b"fedcba9876543210")
    [ended] = pair.deliver(pair.phone.opened(NOW_MS))
    assert isinstance(ended, Ended)
    assert ended.why is End.WRONG_KEY
    assert pair.device.asked == [Command.SESSION_START]


@pytest.mark.parametrize("version", NEGOTIATING)
def test_an_answer_under_another_key_is_not_trusted(version: LanVersion) -> None:
    pair = Pair(version)
    pair.phone.opened(NOW_MS)
    stranger = FakeLink(FakeDevice(version, "fedcba9876543210"))
    [ended] = pair.say(stranger.say(1, Command.SESSION_RESPONSE, bytes(48)))
    assert isinstance(ended, Ended)
    assert ended.why is End.WRONG_KEY


def test_a_device_of_another_version_cannot_be_read() -> None:
    pair = Pair(LanVersion.V33).open()
    [ended] = pair.say(FakeLink(FakeDevice(LanVersion.V35)).push({1: True}))
    assert isinstance(ended, Ended)
    assert ended.why is End.WRONG_KEY


@pytest.mark.parametrize("version", VERSIONS)
def test_once_understood_nonsense_is_not_the_keys_fault(version: LanVersion) -> None:
    pair = Pair(version).open()
    status(pair)
    [ended] = pair.say(pair.link.say(0, Command.STATUS, b'{"dps":[]}'))
    assert isinstance(ended, Ended)
    assert ended.why is End.GARBLED
    assert pair.say(pair.link.push({1: True})) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_no_frame_ends_the_connection(version: LanVersion) -> None:
    pair = Pair(version).open()
    [ended] = pair.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert isinstance(ended, Ended)
    assert ended.why is End.GARBLED
    with pytest.raises(UsageError, match="not open"):
        pair.phone.query(NOW_MS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_closed_connection_is_over_once(version: LanVersion) -> None:
    phone = Pair(version).open().phone
    assert phone.closed() == [Ended(End.CLOSED)]
    assert phone.closed() == phone.left() == []


def test_we_may_leave() -> None:
    assert Pair(LanVersion.V33).open().phone.left() == [Ended(End.LEFT)]


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_the_heart_beats_every_ten_seconds(version: LanVersion) -> None:
    pair = Pair(version).open()
    for _ in range(3):
        assert pair.phone.next_deadline_ms() == pair.now_ms + HEARTBEAT_MS
        assert pair.wake(HEARTBEAT_MS - 1) == []
        assert pair.device.asked == []
        assert pair.wake(1) == []
        assert pair.device.asked == [Command.HEART_BEAT]
        pair.device.asked.clear()


def test_a_heart_that_is_not_heard_ends_the_connection() -> None:
    pair = Pair(LanVersion.V33, mute={Command.HEART_BEAT}).open()
    pair.wake(HEARTBEAT_MS)
    assert pair.phone.next_deadline_ms() == pair.now_ms + ANSWER_MS
    assert pair.wake(ANSWER_MS) == [Ended(End.SILENT, "no answer to command 0x09")]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_device_that_does_not_answer_is_given_up(version: LanVersion) -> None:
    pair = Pair(version).open()
    pair.phone.query(NOW_MS)
    assert pair.phone.next_deadline_ms() == NOW_MS + ANSWER_MS
    assert pair.wake(ANSWER_MS - 1) == []
    [ended] = pair.wake(1)
    assert isinstance(ended, Ended)
    assert ended.why is End.SILENT


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_device_that_does_not_negotiate_is_given_up(version: LanVersion) -> None:
    pair = Pair(version, mute={Command.SESSION_START})
    assert pair.deliver(pair.phone.opened(NOW_MS)) == []
    assert pair.phone.next_deadline_ms() == NOW_MS + ANSWER_MS
    assert pair.wake(ANSWER_MS) == [Ended(End.SILENT, "no answer to command 0x04")]


# --- bounds and mistakes ------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_that_nobody_asked_for_are_passed_over(version: LanVersion) -> None:
    pair = Pair(version).open()
    for command in (Command.HEART_BEAT, Command.DP_QUERY, Command.TOKEN_BIND, 0x77):
        assert pair.say(pair.link.say(9, command, b"")) == []
    assert pair.phone.state is State.OPEN


def test_unanswered_requests_are_bounded() -> None:
    phone = Pair(LanVersion.V35).open().phone
    for _ in range(ASKED_MAX):
        phone.query(NOW_MS)
    with pytest.raises(UsageError, match="32 requests are unanswered"):
        phone.query(NOW_MS)


def test_nothing_is_asked_before_the_connection_stands() -> None:
    phone = Pair(LanVersion.V34).phone
    assert phone.next_deadline_ms() is None
    with pytest.raises(UsageError, match="not open"):
        phone.query(NOW_MS)
    phone.opened(NOW_MS)
    with pytest.raises(UsageError, match="not open"):
        phone.control(NOW_MS, {1: True})


@pytest.mark.parametrize("key", ["short", KEY + "x", "ä" * 16])
def test_a_key_that_is_none_is_the_callers_mistake_and_stays_secret(key: str) -> None:
    peer = Peer(DEV_ID, key, LanVersion.V33)
    assert key not in repr(peer)
    with pytest.raises(UsageError, match="16 ASCII characters") as caught:
        LanControl(peer, CHANCE)
    assert key not in str(caught.value)


def test_chance_has_its_size() -> None:
    with pytest.raises(UsageError, match="28 random bytes"):
        LanControl(Peer(DEV_ID, KEY, LanVersion.V33), b"")
