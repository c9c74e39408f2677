"""Real packets through the kernel into a file, and back: loopback, a namespace, the command."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from firmware_sim.wire.lan_version import LanVersion
from fleet.lan import control, iproute
from fleet.lan.capture import Recording
from fleet.lan.dissect import Seen, dissect
from fleet.lan.entry import do_inside
from fleet.lan.known_devices import Device, DeviceBook
from fleet.lan.pcap import read_records
from fleet.lan.recorder import Limits
from tests.lan.script import DEVICE_ID, KEY, Line, talk
from tests.lan.vectors import GOLDEN

from .tenants import network, new_name, root_only

pytestmark = root_only

ROOT = Path(__file__).parents[3]
# Of this process only: other tests broadcast on the loopback network as well.
PREFIX = f"127.{240 + os.getpid() % 14}.{os.getpid() // 14 % 250}"
LAN = f"{PREFIX}.0/24"
DEVICE_IP, CLIENT_IP = f"{PREFIX}.9", f"{PREFIX}.1"
EVERYBODY = "127.255.255.255"


def found(path: Path) -> list[Seen]:
    """Return what the recording says of our own addresses."""
    book = DeviceBook([Device(DEVICE_ID, "", KEY, DEVICE_IP)])
    told = dissect(read_records(path), book)
    return [one for one in told if PREFIX in one.source or PREFIX in one.target]


def announce(
    data: bytes, source: str = DEVICE_IP, target: str = EVERYBODY, port: int = 6667
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((source, 0))
        sender.sendto(data, (target, port))


def converse(lines: list[Line]) -> None:
    """Have a device and a client say `lines` to each other, each after it heard the one before."""

    def speak(link: socket.socket, *, device: bool) -> None:
        for line in lines:
            if line.from_device is device:
                link.sendall(line.frame)
            else:
                heard = b""
                while len(heard) < len(line.frame):
                    heard += link.recv(len(line.frame) - len(heard))

    with (
        socket.create_server((DEVICE_IP, 6668)) as server,
        socket.create_connection((DEVICE_IP, 6668), 10, (CLIENT_IP, 0)) as client,
        server.accept()[0] as device,
    ):
        device.settimeout(10)
        thread = Thread(target=speak, args=(device,), kwargs={"device": True})
        thread.start()
        speak(client, device=False)
        thread.join()


@pytest.mark.parametrize("version", LanVersion)
def test_a_conversation_on_loopback_is_recorded_and_told(
    version: LanVersion, tmp_path: Path
) -> None:
    path = tmp_path / "a.pcap"
    golden = GOLDEN["announcement_sealed"]
    lines = talk(version)
    recording = Recording(path, LAN)
    recording.start()
    announce(golden.frame)
    converse(lines)
    counts = recording.stop()
    assert (counts.lost, counts.left_out) == (0, 0)
    assert counts.file_bytes == path.stat().st_size
    first, *rest = found(path)
    assert (first.body, first.source.split(":")[0]) == (golden.body.decode(), DEVICE_IP)
    assert [(one.command, one.sequence, one.return_code) for one in rest] == [
        (line.command.name, line.sequence, line.return_code) for line in lines
    ]
    said = ["" if line.command in (3, 4, 5) else line.body.decode() for line in lines]
    assert [one.body for one in rest] == said
    assert [one.time for one in rest] == sorted(one.time for one in rest)


def test_a_burst_is_recorded_without_loss_and_each_packet_once(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    recording = Recording(path, LAN, "lo")
    recording.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((DEVICE_IP, 0))
        for number in range(5000):
            sender.sendto(number.to_bytes(4, "big"), (EVERYBODY, 6667))
    counts = recording.stop()
    ours = [record for record in read_records(path) if record.data[26:30] == _packed(DEVICE_IP)]
    assert [record.data[42:] for record in ours] == [n.to_bytes(4, "big") for n in range(5000)]
    assert (counts.packets >= 5000, counts.lost) == (True, 0)


def _packed(ip: str) -> bytes:
    return socket.inet_aton(ip)


def test_others_are_not_recorded_but_questions_to_everybody_are(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    other = "127.254.250.250"
    recording = Recording(path, LAN)
    recording.start()
    announce(b"of another LAN", other)
    announce(b"to another LAN", other, other, 7000)
    announce(b"no port of the LAN", DEVICE_IP, CLIENT_IP, 6669)
    announce(b"a question", other, EVERYBODY, 7000)
    announce(b"an answer", DEVICE_IP, other, 7000)
    recording.stop()
    recorded = [record.data[42:] for record in read_records(path)]
    mine = {
        b"of another LAN",
        b"to another LAN",
        b"no port of the LAN",
        b"a question",
        b"an answer",
    }
    assert [data for data in recorded if data in mine] == [b"a question", b"an answer"]


def test_in_a_loop_and_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"

    async def use() -> Recording:
        async with Recording(path, LAN, limits=Limits(packets=2)) as recording:
            for _ in range(5):
                announce(b"x")
            assert await asyncio.to_thread(recording.ended, 30)
        return recording

    recording = asyncio.run(use())
    assert recording.counts.packets == 2
    assert len(list(read_records(path))) == 2


# --- the command --------------------------------------------------------------------------------


@contextmanager
def captured(path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run `fleet lan capture` until it says that it records; it is over when the block is."""
    command = [sys.executable, "-m", "fleet", "lan", "capture", str(path), *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "recording " in process.stderr.readline()
            yield process
            process.wait(30)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_records_until_it_is_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "a.pcap"
    with captured(path, "--interface", "lo") as process:
        announce(GOLDEN["announcement_plain"].frame)
        process.send_signal(number)
        assert process.stderr is not None
        assert " packets in " in process.stderr.read()
    assert process.returncode == 0
    assert found(path)[0].body == GOLDEN["announcement_plain"].body.decode()


def take_down(name: str) -> None:
    """Remove a LAN as soon as nobody is in it: helpers of a process end just after it."""
    for _ in range(100):
        if not iproute.run("netns", "pids", name).split():
            break
        sleep(0.05)
    control.down(name)


def test_the_command_records_within_a_namespace(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    lan = control.up_veth(new_name(), 2, network())
    try:
        with captured(path, "--lan", lan.name, "--seconds", "30", "--packets", "2"):
            here = (lan.address(0), lan.broadcast_ip)
            do_inside(lan.name, lambda: announce(b"from inside", *here))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"from outside", (lan.address(1), 7000))
    finally:
        take_down(lan.name)
    assert [record.data[42:] for record in read_records(path)] == [b"from inside", b"from outside"]
