"""Connections of LAN clients: keys agreed on, frames in and out of season, liars and stutterers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim import events as ev
from firmware_sim.device import lan_link
from firmware_sim.wire import lan_message, lan_session
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_version import LanVersion
from tests.device.lan_peer import NONCE, RANDOM, Peer, bound, settable

ALL = tuple(LanVersion)
NEGOTIATING = (LanVersion.V34, LanVersion.V35)
PLAIN = (LanVersion.V31, LanVersion.V32, LanVersion.V33)
OTHER_KEY = b"another key 1234"


@pytest.mark.parametrize("version", ALL)
def test_a_client_of_each_version_is_answered(version: LanVersion) -> None:
    peer = Peer(bound(version), version).negotiated()
    (status,) = peer.query()
    assert status.return_code == 0
    assert b'"dps"' in status.payload


@pytest.mark.parametrize("version", [*PLAIN, LanVersion.V34])
def test_answers_repeat_the_sequence_number(version: LanVersion) -> None:
    peer = Peer(bound(version), version).negotiated()
    peer.sequence = 4711
    assert [frame.sequence for frame in peer.ask(Command.HEART_BEAT)] == [4712]


def test_version_35_counts_its_own_frames() -> None:
    stage = bound(LanVersion.V35)
    peer = Peer(stage, LanVersion.V35)
    (response,) = peer.ask(Command.SESSION_START, RANDOM)
    theirs = lan_session.check_response(response.payload, peer.key, RANDOM)
    peer.ask(Command.SESSION_FINISH, lan_session.finish(peer.key, theirs))
    peer.key = lan_session.session_key(LanVersion.V35, peer.key, RANDOM, theirs)
    number, value = settable(stage)
    heard = [*peer.query(), *peer.control({number: value}), *peer.ask(Command.HEART_BEAT)]
    start = response.sequence
    assert [frame.sequence for frame in heard] == list(range(start + 1, start + 5))


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_client_without_the_local_key_is_closed(version: LanVersion) -> None:
    peer = Peer(bound(version), version)
    peer.key = OTHER_KEY
    assert peer.ask(Command.SESSION_START, RANDOM) == []
    assert peer.closed


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_wrong_proof_is_closed(version: LanVersion) -> None:
    peer = Peer(bound(version), version)
    peer.ask(Command.SESSION_START, RANDOM)
    peer.ask(Command.SESSION_FINISH, bytes(32))
    assert peer.closed


@pytest.mark.parametrize("version", NEGOTIATING)
@pytest.mark.parametrize("body", [b"", b"short"])
def test_a_step_that_is_too_short_is_none(version: LanVersion, body: bytes) -> None:
    peer = Peer(bound(version), version)
    assert peer.ask(Command.SESSION_START, body) == []
    (response,) = peer.ask(Command.SESSION_START, RANDOM)
    assert peer.ask(Command.SESSION_FINISH, body) == []
    theirs = lan_session.check_response(response.payload, peer.key, RANDOM)
    peer.ask(Command.SESSION_FINISH, lan_session.finish(peer.key, theirs))
    peer.key = lan_session.session_key(version, peer.key, RANDOM, theirs)
    assert peer.query()
    other = Peer(peer.stage, version, 2)
    for _ in range(4):
        assert not other.closed
        other.ask(Command.SESSION_START, body)
    assert other.closed


@pytest.mark.parametrize("version", NEGOTIATING)
def test_three_frames_before_the_key_are_ignored_and_the_fourth_closes(version: LanVersion) -> None:
    peer = Peer(bound(version), version)
    for command in (Command.HEART_BEAT, Command.SESSION_FINISH, Command.TOKEN_BIND):
        assert peer.ask(command, b"{}") == []
    assert not peer.closed
    peer.ask(Command.DP_QUERY_NEW, b"{}")
    assert peer.closed


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_probe_in_both_families_is_survived(version: LanVersion) -> None:
    """A scanner that knows no version sends the first step in the older form, then in the newer."""
    stage = bound(version)
    older, newer = (Peer(stage, each, conn) for conn, each in enumerate(NEGOTIATING, 1))
    newer.conn = older.conn
    me = older if version is LanVersion.V34 else newer
    data = older.frame(Command.SESSION_START, RANDOM)
    newer.sequence = older.sequence
    data += newer.frame(Command.SESSION_START, RANDOM)
    (response,) = me.send(data)
    assert response.command == Command.SESSION_RESPONSE
    assert not me.closed
    me.sequence = 2
    theirs = lan_session.check_response(response.payload, me.key, RANDOM)
    me.ask(Command.SESSION_FINISH, lan_session.finish(me.key, theirs))
    me.key = lan_session.session_key(version, me.key, RANDOM, theirs)
    assert me.query()


@pytest.mark.parametrize("version", PLAIN)
def test_a_probe_for_newer_versions_changes_nothing(version: LanVersion) -> None:
    stage = bound(version)
    peer = Peer(stage, version)
    for newer in NEGOTIATING:
        start = Frame(1, Command.SESSION_START, RANDOM)
        assert peer.send(lan_message.seal(start, newer, peer.key, nonce=NONCE)) == []
    assert not peer.closed
    assert peer.query()


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_frame_of_an_older_version_closes(version: LanVersion) -> None:
    peer = Peer(bound(version), version)
    query = Frame(1, Command.DP_QUERY, b"")
    assert peer.send(lan_message.seal(query, LanVersion.V33, peer.key)) == []
    assert peer.closed


@pytest.mark.parametrize("version", NEGOTIATING)
def test_probes_of_the_other_family_are_borne_three_times(version: LanVersion) -> None:
    other = LanVersion.V34 if version.sealed else LanVersion.V35
    peer = Peer(bound(version), version)
    start = Frame(1, Command.SESSION_START, RANDOM)
    for _ in range(lan_link.IGNORED_MAX):
        peer.send(lan_message.seal(start, other, peer.key, nonce=NONCE))
    assert not peer.closed
    peer.send(lan_message.seal(start, other, peer.key, nonce=NONCE))
    assert peer.closed


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_replayed_frame_closes(version: LanVersion) -> None:
    peer = Peer(bound(version), version).negotiated()
    data = peer.frame(Command.HEART_BEAT)
    assert peer.send(data)
    assert peer.send(data) == []
    assert peer.closed


@pytest.mark.parametrize(("version", "fits"), [(LanVersion.V34, True), (LanVersion.V35, False)])
def test_only_the_key_exchange_of_34_may_repeat_a_number(
    version: LanVersion, *, fits: bool
) -> None:
    peer = Peer(bound(version), version)
    (response,) = peer.ask(Command.SESSION_START, RANDOM)
    theirs = lan_session.check_response(response.payload, peer.key, RANDOM)
    peer.sequence -= 1
    peer.ask(Command.SESSION_FINISH, lan_session.finish(peer.key, theirs))
    peer.key = lan_session.session_key(version, peer.key, RANDOM, theirs)
    assert peer.closed is not fits
    assert bool(peer.ask(Command.HEART_BEAT)) is fits


def test_a_key_exchange_that_counts_down_is_closed() -> None:
    peer = Peer(bound(LanVersion.V34), LanVersion.V34)
    peer.sequence = 5
    peer.ask(Command.SESSION_START, RANDOM)
    peer.sequence = 4
    peer.ask(Command.SESSION_START, RANDOM)
    assert peer.closed


@pytest.mark.parametrize("version", NEGOTIATING)
@pytest.mark.parametrize(
    "command", [Command.SESSION_START, Command.SESSION_RESPONSE, Command.SESSION_FINISH]
)
def test_a_second_key_exchange_closes(version: LanVersion, command: Command) -> None:
    peer = Peer(bound(version), version).negotiated()
    assert peer.ask(command, RANDOM) == []
    assert peer.closed


@pytest.mark.parametrize("version", ALL)
def test_a_damaged_frame_is_dropped_and_the_connection_stays(version: LanVersion) -> None:
    peer = Peer(bound(version), version).negotiated()
    data = bytearray(peer.frame(Command.HEART_BEAT, b"{}"))
    data[-6] ^= 1  # in the CRC, the HMAC or the tag
    assert peer.send(bytes(data)) == []
    assert not peer.closed
    assert "bad_lan" in peer.stage.notes()
    assert peer.ask(Command.HEART_BEAT)


def test_the_local_key_is_no_session_key() -> None:
    """After the exchange the session key alone counts."""
    peer = Peer(bound(LanVersion.V35), LanVersion.V35)
    local_key = peer.key
    peer.negotiated()
    peer.key = local_key
    assert peer.ask(Command.HEART_BEAT) == []
    assert not peer.closed


@pytest.mark.parametrize("version", ALL)
def test_a_push_reaches_every_client_that_has_a_key(version: LanVersion) -> None:
    stage = bound(version)
    first = Peer(stage, version, 1).negotiated()
    second = Peer(stage, version, 2).negotiated()
    third = Peer(stage, version, 3)
    before = len(stage.said)
    number, value = settable(stage)
    first.control({number: value})
    said = stage.said[before:]
    assert [frame.command for frame in second.heard(said)] == [Command.STATUS]
    assert len(third.heard(said)) == (0 if version.negotiates else 1)


@pytest.mark.parametrize("version", NEGOTIATING)
def test_everything_in_one_segment_is_worked_off_in_order(version: LanVersion) -> None:
    """The last step of the key exchange and the first request may arrive together."""
    peer = Peer(bound(version), version)
    (response,) = peer.ask(Command.SESSION_START, RANDOM)
    theirs = lan_session.check_response(response.payload, peer.key, RANDOM)
    data = peer.frame(Command.SESSION_FINISH, lan_session.finish(peer.key, theirs))
    peer.key = lan_session.session_key(version, peer.key, RANDOM, theirs)
    assert [frame.command for frame in peer.send(data + peer.frame(Command.HEART_BEAT))] == [9]


@pytest.mark.parametrize("version", ALL)
@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.binary(max_size=80), max_size=8), key_first=st.booleans())
def test_no_bytes_break_a_device(version: LanVersion, pieces: list[bytes], key_first: bool) -> None:
    stage = bound(version)
    peer = Peer(stage, version)
    if key_first:
        peer.negotiated()
    for piece in (*pieces, b"\x00\x00\x55\xaa" + b"".join(pieces), b"\x00\x00\x66\x99"):
        stage.tell(ev.LanReceived(1, piece))
        for client in (stage.device.clients or {}).values():
            assert client.cutter.pending_size <= 4096
    again = Peer(stage, version, 2).negotiated()
    assert again.query()
