"""Recordings become lists of what was said: complete, damaged and hostile ones."""

import random
import tracemalloc
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import Packet

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan import dissect as module
from fleet.lan.dissect import Seen, dissect
from fleet.lan.known_devices import Device, DeviceBook
from fleet.lan.packets import Address
from fleet.lan.pcap import Record

from .script import DEVICE_ID, KEY, REPORT, STATUS, Line, Script, talk
from .vectors import GOLDEN
from .wire_tap import CLIENT, DEVICE, ETHERNET, START_NS, Connection, at, datagram, records

HERE = Device(DEVICE_ID, "front door", KEY, DEVICE.ip)
BROADCAST = Address("255.255.255.255", 6667)


def seen(packets: list[Packet], *devices: Device) -> list[Seen]:
    return list(dissect(records(packets), DeviceBook(devices)))


def recorded(lines: list[Line], connection: Connection | None = None) -> Connection:
    """Return a connection on which `lines` were said, each in a segment."""
    connection = connection or Connection()
    connection.open()
    for line in lines:
        connection.say(line.frame, from_device=line.from_device)
    connection.close()
    return connection


def bodies(found: list[Seen]) -> list[str]:
    return [one.body for one in found]


def shown(lines: list[Line]) -> list[str]:
    return ["" if line.command in (3, 4, 5) else line.body.decode() for line in lines]


# --- what is told -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", LanVersion)
def test_a_conversation_is_told_frame_by_frame(version: LanVersion) -> None:
    lines = talk(version)
    found = seen(recorded(lines).packets, HERE)
    assert bodies(found) == shown(lines)
    for line, one in zip(lines, found, strict=True):
        ends = (str(DEVICE), str(CLIENT)) if line.from_device else (str(CLIENT), str(DEVICE))
        assert (one.source, one.target) == ends
        assert (one.command, one.sequence) == (line.command.name, line.sequence)
        assert (one.return_code, one.size) == (line.return_code, len(line.frame))
        assert one.device == "front door"


def test_a_line_for_people() -> None:
    found = seen(recorded(talk(LanVersion.V34)).packets, HERE)
    assert found[0].line() == (
        "2023-11-14T22:13:20.126456Z        10.0.0.1:50000 > 10.0.0.9:6668         3.4 "
        "SESSION_START    seq 1 (begins a session) [front door]"
    )
    assert (
        found[4].line().endswith('3.4 DP_QUERY_NEW     seq 5 ret 0 {"dps":{"1":true}} [front door]')
    )


def test_an_object_for_programs() -> None:
    found = seen(recorded(talk(LanVersion.V33)).packets, HERE)
    assert msgspec.json.decode(msgspec.json.encode(found[1])) == {
        "time": "2023-11-14T22:13:20.127456Z",
        "from": "10.0.0.9:6668",
        "to": "10.0.0.1:50000",
        "device": "front door",
        "version": "3.3",
        "command": "DP_QUERY",
        "sequence": 2,
        "return_code": 0,
        "size": 60,
        "body": '{"dps":{"1":true}}',
    }


def test_unknown_commands_and_devices_without_a_name() -> None:
    script = Script(LanVersion.V33)
    line = script._line(Command.STATUS, STATUS, 0)
    odd = Script(LanVersion.V33)._line(0x1E, b"{}", None)  # type: ignore[arg-type]
    found = seen(recorded([line, odd]).packets, Device(DEVICE_ID, "", KEY, DEVICE.ip))
    assert [one.command for one in found] == ["STATUS", "0x1E"]
    assert {one.device for one in found} == {DEVICE_ID}


@pytest.mark.parametrize("name", [name for name, golden in GOLDEN.items() if golden.discovery])
def test_a_datagram_is_told(name: str) -> None:
    golden = GOLDEN[name]
    found = seen([datagram(Address(DEVICE.ip, 5000), BROADCAST, golden.frame)], HERE)
    asked = name == "solicitation"
    versions = {"plain": "3.1", "encrypted": "3.3"}
    assert found == [
        Seen(
            "2023-11-14T22:13:20.123456Z",
            "10.0.0.9:5000",
            str(BROADCAST),
            "" if asked else "front door",
            versions.get(name.removeprefix("announcement_"), "3.5"),
            Command(golden.kind).name,
            0,
            golden.return_code,
            len(golden.frame),
            golden.body.decode(),
        )
    ]


def test_a_datagram_that_is_none() -> None:
    found = seen([datagram(CLIENT, BROADCAST, b"hello")])
    assert found[0].line() == (
        "2023-11-14T22:13:20.123456Z        10.0.0.1:50000 > 255.255.255.255:6667  "
        "-   (no frame: 5 bytes)"
    )


def test_an_announcement_tells_whose_key_to_take() -> None:
    announced = GOLDEN["announcement_plain"].frame  # of DEVICE_ID
    moved = Device(DEVICE_ID, "moved", KEY, "10.9.9.9")
    lines = talk(LanVersion.V35)
    connection = recorded(lines)
    packets = [*connection.packets[:3], datagram(DEVICE, BROADCAST, announced)]
    found = seen([*packets, *connection.packets[3:]], moved)
    assert bodies(found)[1:] == shown(lines)
    assert {one.device for one in found} == {"moved"}


# --- secrets, and tricks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"token":"AYnqMwn1NdreKE"}', '{"token":"***"}'),
        (b'{"ssid":"home","passwd" : "pa\\"ss","t":1}', '{"ssid":"home","passwd" : "***","t":1}'),
        (b'{"dps":{"9":"{\\"p\\":\\"pa\\\\\\"ss\\",\\"s\\":\\"x\\"}"}}',
         '{"dps":{"9":"{\\"p\\":\\"***\\",\\"s\\":\\"x\\"}"}}'),
        (b'{"LocalKey":"0123', '{"LocalKey":"***"'),
        (b'{"token":true,"p":5}', '{"token":true,"p":5}'),
        (b'{"a":"\x1b[2J\n\xff"}\0\0', '{"a":"\\x1b[2J\\n\\xff"}'),
        ("{\"a\":\"\u202e\u00e9\"}".encode(), '{"a":"\\u202e\u00e9"}'),
    ],
)  # fmt: skip
def test_secrets_are_hidden_and_signs_that_steer_terminals_are_written_out(
    body: bytes, text: str
) -> None:
    line = Script(LanVersion.V33).client(Command.CONTROL, body)
    assert bodies(seen(recorded([line]).packets, HERE)) == [text]


def test_what_a_list_or_an_announcement_calls_itself_is_no_trick_either() -> None:
    line = Script(LanVersion.V33).client(Command.CONTROL, b"{}")
    tricky = Device(DEVICE_ID, "\x1b[2J", KEY, DEVICE.ip)
    assert seen(recorded([line]).packets, tricky)[0].device == "\\x1b[2J"


def test_no_key_is_in_what_is_told() -> None:
    for version in LanVersion:
        text = " ".join(one.line() for one in seen(recorded(talk(version)).packets, HERE))
        assert KEY.decode() not in text


# --- recordings that are not tidy ---------------------------------------------------------------


@cache
def in_pieces(version: LanVersion) -> tuple[tuple[Record, ...], ...]:
    """Return a conversation whose every frame came in three segments, frame by frame."""
    connection = Connection()
    connection.open()
    kept = [tuple(records(connection.packets))]
    for line in talk(version):
        connection.packets.clear()
        for part in (line.frame[:9], line.frame[9:30], line.frame[30:]):
            connection.say(part, from_device=line.from_device)
        kept.append(tuple(records(connection.packets)))
    return tuple(kept)


@pytest.mark.parametrize("version", LanVersion)
@given(chance=st.randoms(use_true_random=False))
def test_retransmissions_and_reordering_change_nothing(
    version: LanVersion, chance: random.Random
) -> None:
    opening, *frames = in_pieces(version)
    mixed = [*opening]
    for pieces in frames:
        mixed += chance.sample([*pieces, chance.choice(pieces)], 4)
    found = list(dissect(mixed, DeviceBook([HERE])))
    assert bodies(found) == shown(talk(version))


def test_several_frames_in_one_segment() -> None:
    lines = talk(LanVersion.V33)
    connection = Connection()
    for from_device in (False, True):
        spoken = b"".join(line.frame for line in lines if line.from_device is from_device)
        connection.say(spoken, from_device=from_device)
    assert sorted(bodies(seen(connection.packets, HERE))) == sorted(shown(lines))


def test_a_lost_segment_is_told_as_soon_as_it_is_known_to_have_arrived() -> None:
    script = Script(LanVersion.V33)
    connection = Connection()
    for body in (b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":4}'):
        connection.say(script.device(Command.STATUS, body).frame, from_device=True)
        connection.acknowledge(from_device=False)
    del connection.packets[2:4]
    found = seen(connection.packets, HERE)
    assert bodies(found) == ['{"n":1}', "", '{"n":3}', '{"n":4}']
    assert found[1].note == f"{found[0].size} bytes were not recorded"
    assert (found[1].source, found[1].size) == (str(DEVICE), found[0].size)
    assert [one.time for one in found] == sorted(one.time for one in found)


def test_a_recording_may_begin_in_the_middle_of_a_frame() -> None:
    script = Script(LanVersion.V33)
    first, second = (script.device(Command.STATUS, REPORT).frame for _ in range(2))
    connection = Connection()
    connection.say(first[20:] + second, from_device=True)
    found = seen(connection.packets, HERE)
    assert [one.note for one in found] == [f"{len(first) - 20} bytes are no whole frame", ""]
    assert found[1].body == REPORT.decode()


def test_two_ports_used_again_are_another_connection() -> None:
    lines = talk(LanVersion.V35)
    first, second = recorded(lines), recorded(lines, Connection(start=2**32 - 50))
    connection = Connection()
    connection.open()
    connection.say(lines[0].frame[:20], from_device=False)
    found = seen([*connection.packets, *first.packets, *second.packets], HERE)
    assert found[0].note == "20 bytes are no whole frame"
    assert bodies(found[1:]) == shown(lines) * 2


def test_frames_of_both_families_on_one_connection() -> None:
    lines = [*talk(LanVersion.V34), *talk(LanVersion.V35), *talk(LanVersion.V33)]
    assert bodies(seen(recorded(lines).packets, HERE)) == shown(lines)


def test_another_protocol_on_the_port() -> None:
    connection = Connection()
    connection.say(b"\x16\x03\x01 a handshake of TLS", from_device=False)
    connection.say(b"and its answer", from_device=True)
    notes = [one.note for one in seen(connection.packets)]
    assert notes == ["22 bytes are no whole frame", "14 bytes are no whole frame"]


def test_other_packets_are_passed_over() -> None:
    noise = [Record(START_NS, ETHERNET, b"noise"), Record(START_NS, 4711, b"")]
    assert list(dissect(noise, DeviceBook())) == []


# --- damage and hostility -----------------------------------------------------------------------


def test_damage_of_the_file_is_raised_after_all_is_told() -> None:
    half = talk(LanVersion.V33)[0].frame[:30]
    connection = Connection()
    connection.say(half, from_device=False)

    def broken() -> Iterator[Record]:
        yield from records(connection.packets)
        raise UsageError("it ends here")

    told = dissect(broken(), DeviceBook())
    assert next(told).note == "30 bytes are no whole frame"
    with pytest.raises(UsageError, match="it ends here"):
        next(told)


@pytest.mark.parametrize("time_ns", [0, 2**64 * 10**9, 10**40])
def test_times_that_cannot_be_are_shown_as_numbers(time_ns: int) -> None:
    record = at(0, datagram(CLIENT, BROADCAST, b"x"))._replace(time_ns=time_ns)
    (one,) = dissect([record], DeviceBook())
    assert one.time == f"{time_ns // 10**9}.000000" if time_ns else "1970-01-01T00:00:00.000000Z"


def test_the_connection_that_was_silent_for_longest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 2)
    lines = talk(LanVersion.V33)
    connections = [Connection(client=Address("10.0.0.1", port)) for port in (1, 2, 3)]
    for connection in connections:
        connection.say(lines[0].frame[:20], from_device=False)
        connection.say(lines[0].frame[20:], from_device=False)
    (a, b), (c, d), (e, _) = (connection.packets for connection in connections)
    found = seen([a, c, b, e, d], HERE)  # at e the second is forgotten, at d the first
    rest = len(lines[0].frame) - 20
    assert [(one.source[-1], one.note) for one in found] == [
        ("1", ""),
        ("2", "20 bytes are no whole frame"),
        ("3", "20 bytes are no whole frame"),
        ("2", f"{rest} bytes are no whole frame"),
    ]


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 50)

    connection = Connection(client=Address("10.6.6.6", 0))
    connection.say(b"x", from_device=False)
    connection.say(b"lost", from_device=False)
    for _ in range(10):
        connection.say(bytes.fromhex("000055aa") + b"x" * 996, from_device=False)
    first, _, *ahead = records(connection.packets)
    port_at = 34

    def hostile() -> Iterator[Record]:
        for port in range(10_000, 10_500):
            for record in (first, *ahead):
                mine = bytearray(record.data)
                mine[port_at : port_at + 2] = port.to_bytes(2, "big")
                yield record._replace(data=bytes(mine))

    tracemalloc.start()
    try:
        for _ in dissect(hostile(), DeviceBook()):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * 3 * 8192 + 2_000_000


@given(st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=4)), max_size=12))
def test_a_mangled_recording_is_told_or_passed_over(damage: list[tuple[int, bytes]]) -> None:
    mangled = records(recorded(talk(LanVersion.V35)).packets)
    for index, noise in damage:
        record = mangled[index % len(mangled)]
        place = 14 + (index * 7 + len(noise)) % (len(record.data) - 14)
        data = record.data[:place] + noise + record.data[place + len(noise) :]
        mangled[index % len(mangled)] = record._replace(data=data)
    for one in dissect(mangled, DeviceBook([HERE])):
        assert one.line().isprintable()
