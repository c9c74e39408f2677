"""Frames are opened as the two ends open them, and what stays closed says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import lan_frame
from firmware_sim.wire.ciphers import AP_KEY, UDP_KEY, ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame, RawFrame, cut
from firmware_sim.wire.lan_message import seal
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import (
    TokenForm,
    encode_token_bind,
    encode_token_bind_reply,
)
from fleet.lan.conversation import Conversation, Said, read_datagram
from fleet.lan.known_devices import Device, DeviceBook

from .script import DEVICE_ID, KEY, RAND_A, RAND_B, STATUS, Line, Script, talk
from .vectors import GOLDEN

IP = "10.0.0.9"
NONCE = bytes(12)
NEGOTIATING = [LanVersion.V34, LanVersion.V35]


def conversation(key: bytes = KEY, version: LanVersion | None = None) -> Conversation:
    return Conversation(DeviceBook([Device(DEVICE_ID, "", key, IP, version)]), IP)


def said(to: Conversation, *lines: Line) -> list[Said]:
    return [to.read(cut(line.frame), from_device=line.from_device) for line in lines]


# --- everything, with the key -------------------------------------------------------------------


@pytest.mark.parametrize("version", LanVersion)
def test_a_whole_conversation_is_opened(version: LanVersion) -> None:
    lines = talk(version)
    for line, one in zip(lines, said(conversation(version=version), *lines), strict=True):
        assert one.return_code == line.return_code
        if line.command in (3, 4, 5):
            assert (one.body, one.version) == (b"", version)
            assert one.note in ("begins a session", "proves the local key")
        else:
            assert (one.body, one.note) == (line.body, "")


@pytest.mark.parametrize("version", LanVersion)
def test_the_version_need_not_be_known(version: LanVersion) -> None:
    lines = talk(version)
    bodies = [one.body for one in said(conversation(), *lines)]
    assert bodies == [b"" if line.command in (3, 4, 5) else line.body for line in lines]


@pytest.mark.parametrize(
    ("spoken", "shown"),
    [
        (None, "3.3"),
        (LanVersion.V31, "3.3"),
        (LanVersion.V32, "3.2"),
        (LanVersion.V33, "3.3"),
        (LanVersion.V35, "3.3"),
    ],
)
def test_an_old_frame_is_of_the_version_that_it_shows_or_the_device_is_said_to_speak(
    spoken: LanVersion | None, shown: str
) -> None:
    query = Script(LanVersion.V33).client(Command.DP_QUERY, b"{}")
    assert said(conversation(version=spoken), query) == [Said(shown, None, b"{}")]
    report = Script(LanVersion.V32).device(Command.STATUS, STATUS)
    assert said(conversation(version=spoken), report) == [Said("3.2", 0, STATUS)]


@pytest.mark.parametrize("name", [name for name, g in GOLDEN.items() if name.startswith("lan3")])
def test_golden_frames_with_their_own_key(name: str) -> None:
    golden = GOLDEN[name]
    reader = conversation(golden.key or KEY)
    reader._session = golden.key or b""
    one = reader.read(cut(golden.frame), from_device=golden.return_code is not None)
    assert one.return_code == golden.return_code
    assert one.body == (b"" if "session" in name else golden.body)


@pytest.mark.parametrize("form", TokenForm)
def test_a_token_is_found_in_every_form_and_so_is_the_answer(form: TokenForm) -> None:
    reader = conversation(b"")
    request = cut(encode_token_bind("AYnqMwn1NdreKE", 1, form, NONCE))
    assert reader.read(request, from_device=False).body == b'{"token":"AYnqMwn1NdreKE"}'
    reply = cut(encode_token_bind_reply(1, 0, form, NONCE))
    answer = reader.read(reply, from_device=True)
    assert (answer.return_code, answer.body, answer.note) == (0, b"", "")


# --- the negotiation ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", NEGOTIATING)
def test_each_connection_has_its_own_session(version: LanVersion) -> None:
    script = Script(version)
    reader = conversation()
    first = [*script.negotiation(), script.device(Command.STATUS, STATUS)]
    assert said(reader, *first)[-1].body == STATUS
    assert said(conversation(), first[-1])[0].note == (
        "no session key: its negotiation was not recorded"
    )
    start = Script(version).client(Command.SESSION_START, RAND_B)
    assert said(reader, start, first[-1])[-1].note == "no key fits, or the frame is damaged"


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_negotiation_without_its_beginning(version: LanVersion) -> None:
    _, response, finish = Script(version).negotiation()
    assert [one.note for one in said(conversation(), response, finish)] == [
        "answers a beginning that was not recorded",
        "ends a negotiation that was not recorded",
    ]


@pytest.mark.parametrize("version", NEGOTIATING)
def test_wrong_proofs_and_short_steps_are_told(version: LanVersion) -> None:
    script = Script(version)
    lines = [
        script.client(Command.SESSION_START, RAND_A[:15]),
        script.client(Command.SESSION_START, RAND_A),
        script.device(Command.SESSION_RESPONSE, bytes(48)),
        *list(script.negotiation())[:2],
        script.client(Command.SESSION_FINISH, bytes(32)),
    ]
    notes = [one.note for one in said(conversation(), *lines[:5])]
    assert notes[0].startswith("this step of a negotiation has 16 bytes")
    assert notes[1:] == [
        "begins a session",
        "its proof of the local key is wrong",
        "begins a session",
        "proves the local key",
    ]


def test_a_wrong_proof_at_the_end_is_told() -> None:
    start, response, _ = Script(LanVersion.V34).negotiation()
    finish = Script(LanVersion.V34).client(Command.SESSION_FINISH, bytes(32))
    notes = [one.note for one in said(conversation(), start, response, finish)]
    assert notes[2] == "its proof of the local key is wrong"


# --- without a key, and broken ------------------------------------------------------------------


@pytest.mark.parametrize("version", LanVersion)
def test_without_a_key_one_knows_what_is_outside(version: LanVersion) -> None:
    lines = talk(version)
    for reader in (conversation(b""), Conversation(DeviceBook(), IP)):
        for line, one in zip(lines, said(reader, *lines), strict=True):
            assert one.return_code == (None if version.sealed else line.return_code)
            assert one.note in ("", "no key for this device")
            assert one.body in (b"", line.body)
            assert bool(one.note) == (not one.body and bool(one.version))


@pytest.mark.parametrize("version", LanVersion)
def test_with_another_key_nothing_but_text_is_opened(version: LanVersion) -> None:
    for one in said(conversation(b"another key here"), *talk(version)):
        assert one.note or not one.body or one.body.isascii()
        assert one.note in (
            "",
            "no key fits, or the frame is damaged",
            "no session key: its negotiation was not recorded",
        )


def test_a_frame_that_is_damaged_and_short() -> None:
    frame = bytearray(lan_frame.encode(Frame(7, Command.HEART_BEAT, b"", 0)))
    frame[-5] ^= 1
    one = conversation().read(cut(bytes(frame)), from_device=True)
    assert one == Said("", 0, note="the CRC does not fit")


def test_a_frame_without_room_for_its_return_code() -> None:
    one = conversation().read(cut(lan_frame.encode(Frame(7, 9, b""))), from_device=True)
    assert one == Said("", None, note="the frame is too short for its parts")


RAW = st.builds(
    lambda sealed, command, body: (
        cut(seal(Frame(1, command, body), LanVersion.V35, KEY, nonce=NONCE))
        if sealed
        else cut(lan_frame.encode(Frame(1, command, body)))
    ),
    st.booleans(),
    st.sampled_from(Command),
    st.binary(max_size=80),
)


@given(
    st.lists(st.tuples(RAW, st.booleans(), st.integers(18, 60), st.integers(0, 255)), max_size=8)
)
def test_whatever_frames_say_is_told(
    frames: list[tuple[RawFrame, bool, int, int]],
) -> None:
    reader = conversation()
    for raw, from_device, place, flip in frames:
        data = bytearray(raw.data)
        if place < len(data) - 4:
            data[place] ^= flip
        broken = RawFrame(raw.sealed, raw.sequence, raw.command, bytes(data))
        assert isinstance(reader.read(broken, from_device=from_device), Said)


# --- datagrams ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, golden in GOLDEN.items() if golden.discovery])
def test_golden_datagrams(name: str) -> None:
    golden = GOLDEN[name]
    raw, one = read_datagram(golden.frame)
    assert raw == cut(golden.frame)
    assert (one.return_code, one.body, one.note) == (golden.return_code, golden.body, "")


def test_an_announcement_under_the_key_of_access_points_is_opened() -> None:
    data = seal(Frame(0, 0x11, b"{}", 0), LanVersion.V35, AP_KEY, nonce=NONCE)
    assert read_datagram(data)[1] == Said("3.5", 0, b"{}")


def test_an_announcement_without_a_frame_is_opened() -> None:
    assert read_datagram(ecb_encrypt(UDP_KEY, b"{}")) == (
        None,
        Said("", None, b"{}", "without a frame"),
    )


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"hello", "no frame: 5 bytes"),
        (GOLDEN["announcement_encrypted"].frame[:-8] + bytes.fromhex("000000000000aa55"), "CRC"),
        (lan_frame.encode(Frame(0, 0x13, bytes(16), 0)), "the padding does not fit"),
        (seal(Frame(0, 0x13, b"{}", 0), LanVersion.V35, KEY, nonce=NONCE), "no common key fits"),
    ],
)
def test_a_datagram_that_stays_closed_says_why(data: bytes, note: str) -> None:
    one = read_datagram(data)[1]
    assert one.body == b""
    assert note in one.note


@given(st.binary(max_size=80))
def test_whatever_datagrams_hold_is_told(data: bytes) -> None:
    assert isinstance(read_datagram(data)[1], Said)
