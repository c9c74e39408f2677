import json

import msgspec
import pytest
import tinytuya
from hypothesis import given
from hypothesis import strategies as st
from tinytuya.core import header

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import lan_frame, lan_frame_gcm
from firmware_sim.wire.ciphers import AP_KEY, UDP_KEY, ecb_encrypt
from firmware_sim.wire.discovery import (
    SECURITY_LEVEL,
    Announcement,
    Solicitation,
    announcement_port,
    decode_announcement,
    decode_solicitation,
    encode_announcement,
    encode_solicitation,
)
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_version import LanVersion

from .support import VECTORS, flipped, outcome, truncations, vector_bytes

NONCE = bytes(range(12))
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
ANNOUNCEMENTS = {
    "announcement_plain": msgspec.structs.replace(WAITING, version="3.1"),
    "announcement_encrypted": WAITING,
    "announcement_sealed": Announcement(
        ip="10.0.0.9",
        gw_id="uuidfake00000001",
        uuid="uuidfake00000001",
        active=0,
        encrypt=True,
        product_key="keyfake000000001",
        version="3.5",
        sl=SECURITY_LEVEL,
        token=True,
    ),
}
ASKING = Solicitation("10.0.0.1", "app")
TEXT = VECTORS["announcement_encrypted"]["json"].encode()


def of(version: str) -> Announcement:
    return msgspec.structs.replace(WAITING, version=version)


def sealed(text: bytes, command: Command, code: int | None = None, key: bytes = UDP_KEY) -> bytes:
    return lan_frame_gcm.encode(Frame(0, command, text, code), key, NONCE)


# --- announcements ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ANNOUNCEMENTS)
def test_golden_datagrams_both_ways(name: str) -> None:
    datagram, nonce = vector_bytes(name, "frame"), bytes.fromhex(VECTORS[name].get("nonce", ""))
    assert encode_announcement(ANNOUNCEMENTS[name], nonce) == datagram
    assert decode_announcement(datagram) == ANNOUNCEMENTS[name]


@pytest.mark.parametrize("name", ANNOUNCEMENTS)
def test_the_frames_carry_the_golden_json(name: str) -> None:
    assert tinytuya.decrypt_udp(vector_bytes(name, "frame")) == VECTORS[name]["json"]


@pytest.mark.parametrize("version", LanVersion)
@given(
    ip=st.ip_addresses(v=4).map(str),
    gw_id=st.text(max_size=30),
    active=st.sampled_from([0, 1, 2]),
    token=st.none() | st.booleans(),
    uuid=st.none() | st.text(max_size=20),
)
def test_tinytuya_and_we_read_every_version(
    version: LanVersion, ip: str, gw_id: str, active: int, token: bool | None, uuid: str | None
) -> None:
    announcement = Announcement(
        ip=ip,
        gw_id=gw_id,
        uuid=uuid,
        active=active,
        encrypt=True,
        product_key="key",
        version=version,
        token=token,
    )
    datagram = encode_announcement(announcement, NONCE)
    assert decode_announcement(datagram) == announcement
    said = json.loads(tinytuya.decrypt_udp(datagram))
    expected = {"ip": ip, "gwId": gw_id, "active": active, "ablilty": 0, "encrypt": True}
    optional = {"token": token, "uuid": uuid}
    assert said == {
        **expected,
        "productKey": "key",
        "version": version.value,
        **{name: value for name, value in optional.items() if value is not None},
    }


@pytest.mark.parametrize(
    ("version", "port", "magic", "command"),
    [
        ("3.1", 6666, "000055aa", 0x00),
        ("3.2", 6667, "000055aa", 0x13),
        ("3.3", 6667, "000055aa", 0x13),
        ("3.4", 6667, "000055aa", 0x23),
        ("3.5", 6667, "00006699", 0x13),
    ],
)
def test_where_and_how_each_version_announces(
    version: str, port: int, magic: str, command: int
) -> None:
    raw = lan_frame.cut(encode_announcement(of(version), NONCE))
    assert announcement_port(LanVersion(version)) == port
    assert (raw.data[:4].hex(), raw.sequence, raw.command) == (magic, 0, command)


def test_an_app_offers_what_takes_a_token_and_is_not_active() -> None:
    assert WAITING.awaits_token
    assert not msgspec.structs.replace(WAITING, active=2).awaits_token
    assert not msgspec.structs.replace(WAITING, token=None).awaits_token


def test_what_real_devices_add_or_misspell_is_taken() -> None:
    said = json.loads(TEXT)
    del said["ablilty"]
    more = {
        "ability": 0,
        "mode": 0,
        "apConfigType": 1,
        "CombosFlag": 8,
        "ssid": "x",
        "extend": 0,
        "proAbility": 0,
        "devConfigAttribute": 0,
        "lastSeenTime": 1,
        "dps": {"1": True},
    }
    datagram = ecb_encrypt(UDP_KEY, json.dumps(said | more).encode())
    assert decode_announcement(datagram) == WAITING


def test_a_bare_ciphertext_and_trailing_nul_are_read() -> None:
    assert decode_announcement(ecb_encrypt(UDP_KEY, TEXT + b"\0\0")) == WAITING


def test_either_command_is_read_whatever_the_version() -> None:
    for command in (Command.UDP_ENCRYPTED, Command.UDP_ENCRYPTED_34):
        frame = Frame(0, command, ecb_encrypt(UDP_KEY, TEXT), 0)
        assert decode_announcement(lan_frame.encode(frame)) == WAITING


@pytest.mark.parametrize("code", [None, 0, 1])
def test_a_sealed_one_is_read_with_and_without_a_return_code(code: int | None) -> None:
    datagram = sealed(TEXT + b"\0", Command.UDP_ENCRYPTED, code)
    assert decode_announcement(datagram) == WAITING


@pytest.mark.parametrize(
    "datagram",
    [
        lan_frame.encode(Frame(0, Command.HEART_BEAT, b"", 0)),
        sealed(TEXT, Command.SOLICITATION),
        encode_solicitation(ASKING, NONCE),
    ],
)
def test_other_frames_are_not_announcements(datagram: bytes) -> None:
    with pytest.raises(Malformed, match="frame command 0x"):
        decode_announcement(datagram)


@pytest.mark.parametrize(
    "datagram",
    [
        ecb_encrypt(b"another key here", b"{}"),
        sealed(TEXT, Command.UDP_ENCRYPTED, 0, AP_KEY),
    ],
)
def test_another_key_is_a_bad_checksum(datagram: bytes) -> None:
    with pytest.raises(BadChecksum):
        decode_announcement(datagram)


def test_a_huge_datagram_is_refused() -> None:
    with pytest.raises(TooLarge):
        decode_announcement(bytes(4112))


def test_only_known_versions_are_announced() -> None:
    with pytest.raises(UsageError, match=r"'3\.6'.*3\.1 to 3\.5"):
        encode_announcement(of("3.6"))


def test_35_needs_a_nonce() -> None:
    with pytest.raises(UsageError, match="a nonce of 12 bytes"):
        encode_announcement(of("3.5"))


@pytest.mark.parametrize("name", ANNOUNCEMENTS)
def test_every_broken_announcement_is_a_peer_error(name: str) -> None:
    data = vector_bytes(name, "frame")
    for broken in (*truncations(data), *flipped(data)):
        with pytest.raises(PeerError):
            decode_announcement(broken)


# --- solicitations ------------------------------------------------------------------------------


def test_golden_solicitation_both_ways() -> None:
    datagram, nonce = vector_bytes("solicitation", "frame"), vector_bytes("solicitation", "nonce")
    assert encode_solicitation(ASKING, nonce) == datagram
    assert decode_solicitation(datagram) == ASKING
    assert tinytuya.decrypt_udp(datagram) == VECTORS["solicitation"]["json"]


def test_the_solicitation_of_tinytuya_is_read() -> None:
    message = tinytuya.TuyaMessage(
        0,
        tinytuya.REQ_DEVINFO,
        None,
        json.dumps({"from": "app", "ip": "10.0.0.1"}).encode(),
        0,
        True,
        header.PREFIX_6699_VALUE,
        True,
    )
    assert decode_solicitation(tinytuya.pack_message(message, hmac_key=UDP_KEY)) == ASKING


def test_a_solicitation_may_say_more_and_end_in_nul() -> None:
    text = b'{"ip":"10.0.0.1","x":[],"from":"app"}\0\0'
    assert decode_solicitation(sealed(text, Command.SOLICITATION)) == ASKING


@pytest.mark.parametrize(
    "text", [b'{"ip":"10.0.0.1"}', b'{"from":"app"}', b'{"from":1,"ip":2}', b""]
)
def test_a_solicitation_says_who_asks_and_where(text: bytes) -> None:
    with pytest.raises(Malformed):
        decode_solicitation(sealed(text, Command.SOLICITATION))


@pytest.mark.parametrize("ip", ["phone.example", "a\0b", "", "1.2.3", "::1", "<broadcast>"])
def test_a_solicitation_names_an_address_and_no_host(ip: str) -> None:
    """A socket would ask a name server for one, or raise something that is no OSError."""
    with pytest.raises(Malformed):
        decode_solicitation(encode_solicitation(Solicitation(ip, "app"), bytes(12)))


@pytest.mark.parametrize("name", ANNOUNCEMENTS)
def test_an_announcement_is_not_a_solicitation(name: str) -> None:
    with pytest.raises(Malformed):
        decode_solicitation(vector_bytes(name, "frame"))


def test_a_solicitation_under_another_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum):
        decode_solicitation(sealed(b"{}", Command.SOLICITATION, None, AP_KEY))


def test_every_broken_solicitation_is_a_peer_error() -> None:
    data = vector_bytes("solicitation", "frame")
    for broken in (*truncations(data), *flipped(data), data + bytes(5000)):
        with pytest.raises(PeerError):
            decode_solicitation(broken)


@given(st.binary(max_size=300))
def test_garbage_in_each_envelope_is_a_result_or_a_peer_error(data: bytes) -> None:
    for datagram in (
        data,
        ecb_encrypt(UDP_KEY, data),
        lan_frame.encode(Frame(0, Command.UDP_PLAIN, data, 0)),
        lan_frame.encode(Frame(0, Command.UDP_ENCRYPTED, data, 0)),
        sealed(data, Command.UDP_ENCRYPTED),
        sealed(data, Command.SOLICITATION),
    ):
        outcome(decode_announcement, datagram)
        outcome(decode_solicitation, datagram)
