import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinytuya.core import message_helper

from firmware_sim.errors import BadChecksum, Malformed, PeerError, UsageError
from firmware_sim.wire import lan_frame, lan_frame_gcm
from firmware_sim.wire.ciphers import ecb_decrypt, ecb_encrypt, md5_hex
from firmware_sim.wire.lan_frame import Command, Frame, cut
from firmware_sim.wire.lan_message import reveal, seal, unframe
from firmware_sim.wire.lan_version import LanVersion

from . import tinytuya_peer
from .support import VECTORS, flipped, outcome, truncations, vector_bytes

KEY = b"0123456789abcdef"
OTHER_KEY = b"another key here"
NONCE = bytes(range(12))
WORD = st.integers(0, 2**32 - 1)
SESSION = {Command.SESSION_START, Command.SESSION_RESPONSE, Command.SESSION_FINISH}
MESSAGES = [name for name, vector in VECTORS.items() if name.startswith("lan") and "body" in vector]
VERSIONS = pytest.mark.parametrize("version", LanVersion)

# What travels: an object, the text of a refusal, nothing; in a negotiation any bytes at all.
BODIES = st.binary(max_size=100).map(lambda data: b"{" + data) | st.sampled_from(
    [b"", b"data format error"]
)
MESSAGE = st.builds(
    Frame,
    WORD,
    st.sampled_from(Command).filter(lambda command: command not in SESSION),
    BODIES,
    st.none() | st.integers(0, 255),
) | st.builds(
    Frame,
    WORD,
    st.sampled_from(sorted(SESSION)),
    st.binary(max_size=100) | st.binary(max_size=40).map(lambda data: b"3.4" + data),
    st.none() | st.just(0),
)


def opened(data: bytes, version: LanVersion, key: bytes, *, from_device: bool) -> Frame:
    frame = unframe(cut(data), version, key, from_device=from_device)
    body = reveal(frame, version, key)
    return Frame(frame.sequence, frame.command, body, frame.return_code)


# --- vectors and round trips --------------------------------------------------------------------


@pytest.mark.parametrize("name", MESSAGES)
def test_golden_messages_both_ways(name: str) -> None:
    vector = VECTORS[name]
    version, key = LanVersion(vector["version"]), vector_bytes(name, "key")
    code = vector.get("return_code")
    message = Frame(vector["sequence"], vector["command"], vector["body"].encode(), code)
    data = seal(
        message,
        version,
        key,
        nonce=bytes.fromhex(vector.get("nonce", "")),
        header_sequence=vector.get("header_sequence", 0),
    )
    assert data == vector_bytes(name, "frame")
    assert opened(data, version, key, from_device=code is not None) == message


def test_a_golden_acknowledgement_is_the_same_in_the_older_versions() -> None:
    data, answer = vector_bytes("heart_beat_reply", "frame"), Frame(7, Command.HEART_BEAT, b"", 0)
    for version in (LanVersion.V31, LanVersion.V32, LanVersion.V33):
        assert seal(answer, version, KEY) == data
        assert opened(data, version, KEY, from_device=True) == answer


@VERSIONS
@given(message=MESSAGE, header_sequence=WORD)
def test_what_is_sealed_is_revealed(
    version: LanVersion, message: Frame, header_sequence: int
) -> None:
    data = seal(message, version, KEY, nonce=NONCE, header_sequence=header_sequence)
    from_device = message.return_code is not None
    assert opened(data, version, KEY, from_device=from_device) == message


# --- tinytuya -----------------------------------------------------------------------------------


@VERSIONS
@given(
    command=st.sampled_from(Command),
    values=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=9), max_size=5),
)
def test_we_read_what_tinytuya_sends(
    version: LanVersion, command: Command, values: dict[str, object]
) -> None:
    body = json.dumps(values).encode()
    sender = tinytuya_peer.peer(version, KEY)
    for sequence in (1, 2):
        data = tinytuya_peer.write(sender, command, body)
        assert opened(data, version, KEY, from_device=False) == Frame(sequence, command, body)


@VERSIONS
@given(
    command=st.sampled_from([Command.STATUS, Command.DP_QUERY, Command.DP_QUERY_NEW]),
    values=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=9), max_size=5),
    code=st.integers(0, 255),
)
def test_tinytuya_reads_what_a_device_sends(
    version: LanVersion, command: Command, values: dict[str, object], code: int
) -> None:
    answer = Frame(3, command, json.dumps({"dps": values}).encode(), code)
    reader = tinytuya_peer.peer(version, KEY)
    data = seal(answer, version, KEY, nonce=NONCE, header_sequence=2**32 - 1)
    message = tinytuya_peer.read(reader, data)
    assert (message.seqno, message.cmd, message.retcode) == (3, command, code)
    assert reader._decode_payload(message.payload) == {"dps": values}


@VERSIONS
@given(
    command=st.sampled_from([Command.CONTROL, Command.CONTROL_NEW, Command.HEART_BEAT]),
    values=st.dictionaries(st.text(max_size=3), st.integers(), max_size=5),
)
def test_tinytuya_reads_what_a_client_sends(
    version: LanVersion, command: Command, values: dict[str, object]
) -> None:
    request = Frame(3, command, json.dumps(values).encode())
    reader = tinytuya_peer.peer(version, KEY)
    message = message_helper.unpack_message(
        seal(request, version, KEY, nonce=NONCE),
        hmac_key=KEY if version.negotiates else None,
        no_retcode=True,
    )
    assert message.crc_good
    assert reader._decode_payload(message.payload) == values


@VERSIONS
def test_tinytuya_sees_an_acknowledgement_as_empty(version: LanVersion) -> None:
    # It waits for the next frame then; a block of padding it would take for the answer.
    reader = tinytuya_peer.peer(version, KEY)
    data = seal(Frame(3, Command.CONTROL, b"", 0), version, KEY, nonce=NONCE)
    assert tinytuya_peer.read(reader, data).payload == b""


@pytest.mark.parametrize("version", [LanVersion.V33, LanVersion.V34])
def test_tinytuya_understands_that_there_is_nothing_to_report(version: LanVersion) -> None:
    reader = tinytuya_peer.peer(version, KEY)
    answer = Frame(3, Command.DP_QUERY, b"json obj data unvalid", 1)
    message = tinytuya_peer.read(reader, seal(answer, version, KEY))
    assert reader._decode_payload(message.payload) is None
    assert reader.dev_type == "device22"


# --- forms that tinytuya does not use -----------------------------------------------------------


@pytest.mark.parametrize("said", ["3.1", "3.2", "3.3", "3.4", "3.5"])
@pytest.mark.parametrize("version", [LanVersion.V32, LanVersion.V33])
def test_a_header_before_the_ciphertext_names_any_version(version: LanVersion, said: str) -> None:
    payload = said.encode() + bytes(12) + ecb_encrypt(KEY, b"{}")
    for command in (Command.HEART_BEAT, Command.CONTROL):
        assert reveal(Frame(1, command, payload), version, KEY) == b"{}"


@pytest.mark.parametrize("version", [LanVersion.V34, LanVersion.V35])
@pytest.mark.parametrize("body", [b"{}", b""])
def test_a_header_within_is_taken_off_any_command(version: LanVersion, body: bytes) -> None:
    plain = b"3.3" + bytes(12) + body
    payload = plain if version.sealed else ecb_encrypt(KEY, plain)
    for command in (Command.DP_QUERY_NEW, Command.DP_REFRESH, Command.EXT_STREAM):
        assert reveal(Frame(1, command, payload), version, KEY) == body


def test_a_ciphertext_that_looks_like_a_header_is_a_ciphertext() -> None:
    payload = b"3.3" + bytes(13)
    body = ecb_decrypt(KEY, payload + ecb_encrypt(KEY, b""))
    assert reveal(Frame(1, 7, payload + ecb_encrypt(KEY, b"")), LanVersion.V33, KEY) == body


def test_a_body_too_short_for_a_header_has_none() -> None:
    assert reveal(Frame(1, 7, b"3.5 short"), LanVersion.V35, KEY) == b"3.5 short"


def test_an_empty_request_is_one_block_from_our_client_or_nothing_from_another() -> None:
    for version in (LanVersion.V32, LanVersion.V33, LanVersion.V34):
        data = seal(Frame(1, Command.HEART_BEAT, b""), version, KEY)
        frame = unframe(cut(data), version, KEY, from_device=False)
        assert frame.payload == ecb_encrypt(KEY, b"")
        assert reveal(frame, version, KEY) == b""
        assert reveal(Frame(1, Command.HEART_BEAT, b""), version, KEY) == b""


# --- version 3.1 --------------------------------------------------------------------------------


def test_31_conceals_what_is_set_and_what_is_pushed_only() -> None:
    for command, code in ((Command.CONTROL, None), (Command.STATUS, 0)):
        frame = Frame(1, command, b"{}", code)
        data = seal(frame, LanVersion.V31, KEY)
        raw = unframe(cut(data), LanVersion.V31, KEY, from_device=code is not None)
        assert raw.payload.startswith(b"3.1")
        assert len(raw.payload) == 3 + 16 + 24
    for frame in (Frame(1, Command.DP_QUERY, b"{}"), Frame(1, Command.CONTROL, b"error", 1)):
        assert frame.payload in seal(frame, LanVersion.V31, KEY)


def test_31_takes_plain_settings_and_pushes_too() -> None:
    for command in (Command.CONTROL, Command.STATUS):
        assert reveal(Frame(1, command, b'{"dps":{}}'), LanVersion.V31, KEY) == b'{"dps":{}}'


def test_31_with_another_key_is_a_bad_checksum() -> None:
    data = seal(Frame(1, Command.CONTROL, b"{}"), LanVersion.V31, OTHER_KEY)
    with pytest.raises(BadChecksum, match="digest"):
        opened(data, LanVersion.V31, KEY, from_device=False)


@pytest.mark.parametrize("text", [b"no base64!", b"abc", b"YWJj"])
def test_31_with_a_bad_body_is_malformed(text: bytes) -> None:
    digest = md5_hex(b"data=" + text + b"||lpv=3.1||" + KEY)[8:24].encode()
    with pytest.raises(Malformed):
        reveal(Frame(1, Command.CONTROL, b"3.1" + digest + text), LanVersion.V31, KEY)


# --- broken messages ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", MESSAGES)
def test_every_broken_message_is_a_peer_error(name: str) -> None:
    version, key = LanVersion(VECTORS[name]["version"]), vector_bytes(name, "key")
    from_device = "return_code" in VECTORS[name]
    data = vector_bytes(name, "frame")
    for broken in (*truncations(data), *flipped(data)):
        with pytest.raises(PeerError):
            opened(broken, version, key, from_device=from_device)


@VERSIONS
def test_the_wrong_family_is_malformed(version: LanVersion) -> None:
    frame = Frame(1, Command.DP_QUERY, b"{}")
    wrong = lan_frame.encode(frame) if version.sealed else lan_frame_gcm.encode(frame, KEY, NONCE)
    with pytest.raises(Malformed, match="where"):
        unframe(cut(wrong), version, KEY, from_device=False)


@VERSIONS
def test_another_key_is_a_bad_checksum(version: LanVersion) -> None:
    data = seal(Frame(1, Command.CONTROL, b"{}"), version, OTHER_KEY, nonce=NONCE)
    with pytest.raises(BadChecksum):
        opened(data, version, KEY, from_device=False)


def test_the_first_probe_of_a_search_by_force_survives_the_older_versions_only() -> None:
    probe = tinytuya_peer.write(tinytuya_peer.peer(LanVersion.V31, KEY), Command.DP_QUERY, b"")
    for version in (LanVersion.V31, LanVersion.V32, LanVersion.V33):
        assert opened(probe, version, KEY, from_device=False) == Frame(1, Command.DP_QUERY, b"")
    for version in (LanVersion.V34, LanVersion.V35):
        with pytest.raises(PeerError):
            unframe(cut(probe), version, KEY, from_device=False)


@VERSIONS
@given(data=st.binary(max_size=100), command=st.sampled_from(Command))
def test_garbage_is_a_body_or_a_peer_error(
    version: LanVersion, data: bytes, command: Command
) -> None:
    for payload in (data, b"3.1" + data, b"3.3" + data, b64encode(data)):
        outcome(reveal, Frame(1, command, payload, 0), version, KEY)
    key = KEY if version.negotiates else None
    sealed = lan_frame_gcm.encode(Frame(1, command, data), KEY, NONCE)
    for framed in (lan_frame.encode(Frame(1, command, data), key), sealed):
        outcome(opened, framed, version, KEY, from_device=True)


def test_35_needs_a_nonce() -> None:
    with pytest.raises(UsageError, match="a nonce of 12 bytes"):
        seal(Frame(1, Command.HEART_BEAT, b""), LanVersion.V35, KEY)


@VERSIONS
def test_a_key_of_another_size_is_refused(version: LanVersion) -> None:
    with pytest.raises(UsageError, match="16 bytes"):
        seal(Frame(1, Command.CONTROL, b"{}"), version, b"short", nonce=NONCE)
