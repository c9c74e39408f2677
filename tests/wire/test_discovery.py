import json

import msgspec
import pytest
import tinytuya
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.ciphers import UDP_KEY, ecb_encrypt
from firmware_sim.wire.discovery import (
    Announcement,
    decode_announcement,
    encode_announcement,
)
from firmware_sim.wire.lan_frame import Command, Frame

from .support import VECTORS, outcome, truncations, vector_bytes

NAMES = ("announcement_plain", "announcement_encrypted")
WAITING = Announcement(
    ip="10.0.0.9",
    gw_id="ebfake0000000000000001",
    active=0,
    ablilty=0,
    encrypt=True,
    product_key="keyfake000000001",
    version="3.3",
    token=True,
    wf_cfg=False,
)
ANNOUNCEMENTS = dict(
    zip(NAMES, (msgspec.structs.replace(WAITING, version="3.1"), WAITING), strict=True)
)


@pytest.mark.parametrize("name", NAMES)
def test_golden_datagrams_both_ways(name: str) -> None:
    datagram = vector_bytes(name, "frame")
    assert encode_announcement(ANNOUNCEMENTS[name]) == datagram
    assert decode_announcement(datagram) == ANNOUNCEMENTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_frames_carry_the_golden_json(name: str) -> None:
    assert tinytuya.decrypt_udp(vector_bytes(name, "frame")) == VECTORS[name]["json"]


def test_tinytuya_reads_an_announcement_of_an_activated_device() -> None:
    active = msgspec.structs.replace(WAITING, active=2, token=None, wf_cfg=None, uuid="emu1")
    assert json.loads(tinytuya.decrypt_udp(encode_announcement(active))) == {
        "ip": "10.0.0.9",
        "gwId": "ebfake0000000000000001",
        "active": 2,
        "ablilty": 0,
        "encrypt": True,
        "productKey": "keyfake000000001",
        "version": "3.3",
        "uuid": "emu1",
    }


def test_an_app_offers_what_takes_a_token_and_is_not_active() -> None:
    assert WAITING.awaits_token
    assert not msgspec.structs.replace(WAITING, active=2).awaits_token
    assert not msgspec.structs.replace(WAITING, token=None).awaits_token


def test_a_bare_ciphertext_and_trailing_nul_are_read() -> None:
    text = VECTORS["announcement_encrypted"]["json"].encode()
    assert decode_announcement(ecb_encrypt(UDP_KEY, text + b"\0\0")) == WAITING


def test_the_frame_type_of_version_34_is_read() -> None:
    payload = ecb_encrypt(UDP_KEY, VECTORS["announcement_encrypted"]["json"].encode())
    frame = Frame(0, Command.UDP_ENCRYPTED_34, payload, 0)
    assert decode_announcement(lan_frame.encode(frame)) == WAITING


def test_other_frames_are_not_announcements() -> None:
    with pytest.raises(Malformed, match="0x9"):
        decode_announcement(lan_frame.encode(Frame(0, Command.HEART_BEAT, b"", 0)))


def test_another_key_is_a_bad_checksum() -> None:
    datagram = ecb_encrypt(b"another key here", b"{}")
    with pytest.raises(BadChecksum):
        decode_announcement(datagram)


def test_a_huge_datagram_is_refused() -> None:
    with pytest.raises(TooLarge):
        decode_announcement(bytes(4112))


def test_only_known_versions_are_announced() -> None:
    with pytest.raises(UsageError, match=r"3\.5"):
        encode_announcement(msgspec.structs.replace(WAITING, version="3.5"))


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_a_peer_error(name: str) -> None:
    for data in truncations(vector_bytes(name, "frame")):
        with pytest.raises(PeerError):
            decode_announcement(data)


@given(st.binary(max_size=300))
def test_garbage_in_each_envelope_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(decode_announcement, data)
    outcome(decode_announcement, ecb_encrypt(UDP_KEY, data))
    outcome(decode_announcement, lan_frame.encode(Frame(0, Command.UDP_PLAIN, data, 0)))
    outcome(decode_announcement, lan_frame.encode(Frame(0, Command.UDP_ENCRYPTED, data, 0)))
