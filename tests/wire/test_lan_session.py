from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, UsageError
from firmware_sim.wire import lan_message, lan_session
from firmware_sim.wire.lan_frame import Command, Frame, cut
from firmware_sim.wire.lan_version import LanVersion

from . import tinytuya_peer
from .support import VECTORS, outcome, vector_bytes

KEY = b"0123456789abcdef"
NONCE = bytes(12)
RANDOM = st.binary(min_size=16, max_size=16)
NAMES = {LanVersion.V34: "lan34_session", LanVersion.V35: "lan35_session"}
VERSIONS = pytest.mark.parametrize("version", NAMES)


def bodies(name: str) -> list[tuple[str, Command, bytes]]:
    rand_a, rand_b = vector_bytes(name, "rand_a"), vector_bytes(name, "rand_b")
    return [
        ("start", Command.SESSION_START, rand_a),
        ("response", Command.SESSION_RESPONSE, lan_session.response(KEY, rand_a, rand_b)),
        ("finish", Command.SESSION_FINISH, lan_session.finish(KEY, rand_b)),
    ]


@VERSIONS
def test_golden_negotiation_both_ways(version: LanVersion) -> None:
    name = NAMES[version]
    nonces = VECTORS[name].get("nonces", ["", "", ""])
    for n, (step, command, body) in enumerate(bodies(name)):
        code = 0 if step == "response" else None
        message = Frame(VECTORS[name]["sequences"][n], command, body, code)
        data = vector_bytes(name, step)
        assert lan_message.seal(message, version, KEY, nonce=bytes.fromhex(nonces[n])) == data
        frame = lan_message.unframe(cut(data), version, KEY, from_device=code is not None)
        assert (frame.sequence, frame.command, frame.return_code) == (
            message.sequence,
            command,
            code,
        )
        assert lan_message.reveal(frame, version, KEY) == body


@VERSIONS
def test_golden_proofs_and_key(version: LanVersion) -> None:
    name = NAMES[version]
    rand_a, rand_b = vector_bytes(name, "rand_a"), vector_bytes(name, "rand_b")
    answer = lan_session.response(KEY, rand_a, rand_b)
    assert answer == rand_b + vector_bytes(name, "proof_a")
    assert lan_session.finish(KEY, rand_b) == vector_bytes(name, "proof_b")
    key = lan_session.session_key(version, KEY, rand_a, rand_b)
    assert key == vector_bytes(name, "session_key")


@VERSIONS
@given(rand_b=RANDOM)
def test_tinytuya_agrees_on_a_key(version: LanVersion, rand_b: bytes) -> None:
    client = tinytuya_peer.peer(version, KEY)

    def received(command: int, body: bytes) -> bytes:
        raw = cut(tinytuya_peer.write(client, command, body))
        frame = lan_message.unframe(raw, version, KEY, from_device=False)
        return lan_message.reveal(frame, version, KEY)

    rand_a = lan_session.start_random(received(*client._negotiate_session_key_generate_step_1()))
    answer = Frame(1, Command.SESSION_RESPONSE, lan_session.response(KEY, rand_a, rand_b), 0)
    data = lan_message.seal(answer, version, KEY, nonce=NONCE)
    finish = client._negotiate_session_key_generate_step_3(tinytuya_peer.read(client, data))
    lan_session.check_finish(received(*finish), KEY, rand_b)
    client._negotiate_session_key_generate_finalize()
    assert client.local_key == lan_session.session_key(version, KEY, rand_a, rand_b)


@given(RANDOM, RANDOM, st.binary(max_size=20))
def test_each_side_believes_the_other(rand_a: bytes, rand_b: bytes, more: bytes) -> None:
    assert lan_session.start_random(rand_a + more) == rand_a
    answer = lan_session.response(KEY, rand_a, rand_b) + more
    assert lan_session.check_response(answer, KEY, rand_a) == rand_b
    lan_session.check_finish(lan_session.finish(KEY, rand_b) + more, KEY, rand_b)


def test_another_local_key_is_a_bad_checksum() -> None:
    rand, other = bytes(16), KEY[::-1]
    with pytest.raises(BadChecksum, match="another local key"):
        lan_session.check_response(lan_session.response(other, rand, rand), KEY, rand)
    with pytest.raises(BadChecksum, match="another local key"):
        lan_session.check_finish(lan_session.finish(other, rand), KEY, rand)


def test_a_short_step_is_malformed() -> None:
    rand = bytes(16)
    with pytest.raises(Malformed, match="16 bytes, here are 15"):
        lan_session.start_random(rand[1:])
    with pytest.raises(Malformed, match="48 bytes, here are 47"):
        lan_session.check_response(lan_session.response(KEY, rand, rand)[:-1], KEY, rand)
    with pytest.raises(Malformed, match="32 bytes, here are 31"):
        lan_session.check_finish(lan_session.finish(KEY, rand)[:-1], KEY, rand)


@given(st.binary(max_size=80))
def test_garbage_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(lan_session.start_random, data)
    outcome(lan_session.check_response, data, KEY, bytes(16))
    outcome(lan_session.check_finish, data, KEY, bytes(16))


@pytest.mark.parametrize("version", ["3.1", "3.2", "3.3"])
def test_older_versions_have_no_session(version: str) -> None:
    with pytest.raises(UsageError, match=f"{version} has no session key"):
        lan_session.session_key(LanVersion(version), KEY, bytes(16), bytes(16))


@pytest.mark.parametrize("size", [0, 15, 17])
def test_random_bytes_of_another_size_are_refused(size: int) -> None:
    bad, good = bytes(size), bytes(16)
    calls: list[Callable[[], object]] = [
        lambda: lan_session.response(KEY, bad, good),
        lambda: lan_session.response(KEY, good, bad),
        lambda: lan_session.finish(KEY, bad),
        lambda: lan_session.session_key(LanVersion.V34, KEY, bad, good),
        lambda: lan_session.session_key(LanVersion.V35, KEY, good, bad),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="16 random bytes"):
            call()
