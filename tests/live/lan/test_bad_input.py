"""Bad input on real sockets: what a device drops, what it closes, and that nobody else notices.

The client is tinytuya up to the point where it misbehaves; devices of the same process are polled
all the while.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
import tinytuya

from firmware_sim.wire.discovery import PORT_CONTROL, PORT_SOLICITED
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.addresses import AddressBlock
from fleet.run.usage import usage_of
from tests.lan.odd_frames import Odd, odd_datagrams, odd_frames
from tests.live.lan.home import Home, Unit, until
from tests.live.lan.phone import TIMEOUT_S, dps, phone

MODEL = "nvr"
VERSIONS = list(LanVersion)
IMPATIENT = len(VERSIONS)
NEIGHBOURS = (IMPATIENT + 1, IMPATIENT + 2)
BROADCAST = "127.255.255.255"
IDLE_MS = 300
MEBIBYTE = 1 << 20

every_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """One device of each version, one that soon loses patience, and two that are left in peace."""
    with AddressBlock() as block:
        units = [Unit(n, MODEL, version, block.address(n)) for n, version in enumerate(VERSIONS)]
        impatient = Unit(
            IMPATIENT,
            MODEL,
            LanVersion.V33,
            block.address(IMPATIENT),
            timings={"lan_idle_ms": IDLE_MS},
        )
        neighbours = [
            Unit(n, MODEL, version, block.address(n))
            for n, version in zip(NEIGHBOURS, (LanVersion.V33, LanVersion.V35), strict=True)
        ]
        with Home([*units, impatient, *neighbours]) as home:
            yield home


@pytest.fixture(autouse=True)
def _undisturbed(home: Home) -> Iterator[None]:
    """Poll the neighbours during each test; every poll has to be answered."""
    over = threading.Event()
    polls: list[int] = []
    failures: list[Exception] = []

    def poll() -> None:
        try:
            with ExitStack() as stack:
                clients = [stack.enter_context(phone(home[number])) for number in NEIGHBOURS]
                while not over.is_set() or len(polls) < len(NEIGHBOURS):
                    for client in clients:
                        polls.append(len(dps(client.status())))
                        over.wait(0.02)
        except (AssertionError, OSError) as error:
            failures.append(error)

    poller = threading.Thread(target=poll)
    poller.start()
    yield
    over.set()
    poller.join()
    assert failures == []
    assert set(polls) == {len(home[NEIGHBOURS[0]].model.data_points)}


@contextmanager
def modest(home: Home) -> Iterator[None]:
    """See to it that the process of the devices does not grow, in memory or in open files."""
    before, files_before = usage_of(home.pid).rss_bytes, files_of(home)
    yield
    until(lambda: files_of(home) <= files_before + len(NEIGHBOURS))
    assert usage_of(home.pid).rss_bytes - before < 8 * MEBIBYTE


def files_of(home: Home) -> int:
    return len(list(Path(f"/proc/{home.pid}/fd").iterdir()))


# --- single frames ------------------------------------------------------------------------------


def damaged(good: bytes) -> bytes:
    """Flip a bit of the CRC, the HMAC or the tag, which ends before the last four bytes."""
    return good[:-5] + bytes([good[-5] ^ 1]) + good[-4:]


def of_length(good: bytes, length: int) -> bytes:
    """Lie about the length, whose place is the last of the head in both families."""
    place = 12 if good.startswith(b"\0\0\x55\xaa") else 14
    return good[:place] + length.to_bytes(4, "big") + good[place + 4 :]


CLOSING: dict[str, Callable[[bytes], bytes]] = {
    "another protocol": lambda _: b"GET / HTTP/1.1\r\nHost: camera\r\n\r\n",
    "zeroes": lambda good: bytes(len(good)),
    "too large": lambda good: of_length(good, 5000),
    "as large as can be said": lambda good: of_length(good, 0xFFFFFFFF),
    "too small": lambda good: of_length(good, 3),
    "wrong end": lambda good: good[:-1] + b"\x56",
    "shifted": lambda good: good[1:] + good,
}
"""What is no frame has the connection closed, in every version."""


@every_version
@pytest.mark.parametrize("name", CLOSING)
def test_what_is_no_frame_closes(home: Home, version: LanVersion, name: str) -> None:
    unit = home[VERSIONS.index(version)]
    home.notes(unit)
    with phone(unit) as client:
        client.status()
        client.send(CLOSING[name](client._encode_message(heartbeat(client))))
        until(lambda: home.clients(unit) == 0)
    [(kind, detail)] = home.notes(unit)[-1:]
    assert kind == "bad_lan"
    assert unit.local_key not in detail


def heartbeat(client: tinytuya.Device) -> tinytuya.MessagePayload:
    return client.generate_payload(tinytuya.HEART_BEAT)


@every_version
def test_a_damaged_frame_is_dropped(home: Home, version: LanVersion) -> None:
    unit = home[VERSIONS.index(version)]
    with phone(unit) as client:
        before = dps(client.status())
        home.notes(unit)
        client.send(damaged(client._encode_message(heartbeat(client))))
        assert dps(client.status()) == before
        assert home.clients(unit) == 1
    [(kind, detail)] = home.notes(unit)
    assert kind == "bad_lan"
    assert unit.local_key not in detail


@every_version
def test_a_frame_sent_twice(home: Home, version: LanVersion) -> None:
    """Those that agree on a key close; the others cannot know."""
    unit = home[VERSIONS.index(version)]
    with phone(unit) as client:
        client.status()
        home.notes(unit)
        query = client._encode_message(client.generate_payload(tinytuya.DP_QUERY))
        client.send(query + query)
        assert dps(client.receive())
        if version.negotiates:
            until(lambda: home.clients(unit) == 0)
            [(kind, detail)] = home.notes(unit)
            assert (kind, detail.split()[0]) == ("bad_lan", "sequence")
        else:
            assert dps(client.receive())


@every_version
@pytest.mark.parametrize("body", [b"no json", b"[1]", b'{"dps":', b'{"dps":{"x":1}}', b"\xff" * 40])
def test_json_that_is_none_is_refused_and_sets_nothing(
    home: Home, version: LanVersion, body: bytes
) -> None:
    unit = home[VERSIONS.index(version)]
    command = tinytuya.CONTROL_NEW if version.negotiates else tinytuya.CONTROL
    with phone(unit) as client:
        before = dps(client.status())
        client.send(tinytuya.MessagePayload(command, body))
        client.receive()
        assert [(heard.cmd, heard.retcode) for heard in client.raw_recv] == [(command, 1)]
        assert dps(client.status()) == before


@every_version
def test_half_a_frame_is_waited_for(home: Home, version: LanVersion) -> None:
    unit = home[VERSIONS.index(version)]
    with phone(unit) as client:
        client.status()
        client.set_sendWait(None)
        whole = client._encode_message(heartbeat(client))
        for each in whole[:-1]:
            client.send(bytes([each]))
        client.send(whole[-1:])
        assert dps(client.status())


def test_half_a_frame_is_not_waited_for_long(home: Home) -> None:
    unit = home[IMPATIENT]
    with phone(unit) as client:
        client.status()
        client.send(client._encode_message(heartbeat(client))[:-1])
        until(lambda: home.clients(unit) == 0)


# --- many ---------------------------------------------------------------------------------------


def test_ten_thousand_connections_that_say_nothing(home: Home) -> None:
    """Three at a time are borne until they have been silent for too long, all others closed."""
    unit = home[IMPATIENT]
    attempts, at_once = 10_000, 5
    tickets = iter(range(attempts))
    closed: list[int] = []

    def connect() -> None:
        for ticket in tickets:
            with socket.create_connection((unit.ip, PORT_CONTROL), TIMEOUT_S) as client:
                if ended(client):
                    closed.append(ticket)

    with modest(home):
        workers = [threading.Thread(target=connect) for _ in range(at_once)]
        for each in workers:
            each.start()
        while any(each.is_alive() for each in workers):
            assert home.clients(unit) <= unit.model.firmware.lan_clients_max
            workers[0].join(0.05)
        until(lambda: home.clients(unit) == 0)
    assert sorted(closed) == list(range(attempts))
    with phone(unit) as client:
        assert dps(client.status())


def ended(client: socket.socket) -> bool:
    """Wait until the other side closes, in whatever way."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("version", [LanVersion.V33, LanVersion.V34, LanVersion.V35])
def test_a_client_that_never_reads_is_cut_off(home: Home, version: LanVersion) -> None:
    unit = home[VERSIONS.index(version)]
    everything = [point.id for point in unit.model.data_points]
    refreshes_max = 20_000
    with modest(home), phone(unit) as deaf, phone(unit) as client:
        deaf.status()
        client.set_sendWait(None)
        pushed = 0
        while home.clients(unit) != 1 or not pushed:
            for _ in range(50):
                assert set(dps(client.updatedps(everything))) == set(everything)
            pushed += 50
            assert pushed < refreshes_max
        assert dps(client.status())


def test_datagrams_that_are_no_solicitations(home: Home) -> None:
    with modest(home), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for odd in odd_datagrams():
            for _ in range(20):
                sender.sendto(odd.data, (BROADCAST, PORT_SOLICITED))
        for version in VERSIONS:
            with phone(home[VERSIONS.index(version)]) as client:
                assert dps(client.status())


@pytest.mark.parametrize("version", [each for each in VERSIONS if each is not LanVersion.V32])
def test_odd_frames_from_somebody_who_has_the_key(home: Home, version: LanVersion) -> None:
    """3.2 is left out: it differs from 3.3 in its number only."""
    unit = home[VERSIONS.index(version)]
    home.notes(unit)
    sent = 0
    with modest(home):
        while True:
            with phone(unit) as client:
                client.set_sendWait(None)
                assert dps(client.status())
                odd = oddities(version, client.local_key)  # under the key of this very session
                if sent == len(odd):
                    break
                client.socket.sendall(odd[sent].data)
                sent += 1
            until(lambda: home.clients(unit) == 0)
    assert sent > 100
    notes = home.notes(unit)
    assert {kind for kind, _ in notes} >= {"bad_lan", "lan_refused", "lan_ignored"}
    assert [detail for _, detail in notes if unit.local_key in detail] == []


@lru_cache(maxsize=1)
def oddities(version: LanVersion, key: bytes) -> list[Odd]:
    family = {LanVersion.V34: "hmac:", LanVersion.V35: "gcm:"}.get(version, "crc:")
    return [odd for odd in odd_frames(key) if odd.name.startswith(family)]
