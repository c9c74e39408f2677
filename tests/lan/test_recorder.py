"""The recorder, fed through a local socket: all that came is in the file, or counted."""

import multiprocessing
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from scapy.utils import RawPcapReader

from fleet.lan import recorder as module
from fleet.lan.pcap import read_records
from fleet.lan.recorder import Counts, Limits, Recorder, record

STAMP = 1_700_000_000, 123_456_789


class Ear:
    """A packet socket: hands out what it was given, with the kernel's time."""

    def __init__(self, heard: socket.socket) -> None:
        self._heard = heard
        self.errors: list[OSError] = []

    def fileno(self) -> int:
        return self._heard.fileno()

    def recvmsg(self, size: int, ancillary: int, flags: int) -> tuple[bytes, Any, int, Any]:
        if self.errors:
            raise self.errors.pop()
        data = self._heard.recv(size, flags)
        assert ancillary >= 16
        return data, [(socket.SOL_SOCKET, 35, struct.pack("@ll", *STAMP))], 0, None

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option, size) == (263, 6, 8)
        return struct.pack("@II", 900, 7)


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, Any]]:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        yield left, Ear(right)


@pytest.fixture
def line() -> Iterator[tuple[Connection, Connection]]:
    ours, theirs = Pipe()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_all_that_came_before_the_end_is_written(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection], tmp_path: Path
) -> None:
    path = tmp_path / "a.pcap"
    packets = [bytes([n]) * (n + 14) for n in range(50)]
    for packet in packets:
        wire[0].send(packet)
    line[0].send(None)
    record(wire[1], str(path), line[1], Limits())
    answer = line[0].recv()
    assert answer == Counts(50, path.stat().st_size, lost=7)
    assert str(answer) == "50 packets in 2,749 bytes, 7 lost because the recorder was too slow"
    assert [one.data for one in read_records(path)] == packets
    assert {one.time_ns for one in read_records(path)} == {STAMP[0] * 10**9 + STAMP[1]}
    assert {one.link for one in read_records(path)} == {1}
    with RawPcapReader(str(path)) as theirs:
        assert [data for data, _ in theirs] == packets


def test_the_end_of_the_parent_is_the_end(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection], tmp_path: Path
) -> None:
    wire[0].send(b"x" * 20)
    line[0].close()
    record(wire[1], str(tmp_path / "a.pcap"), line[1], Limits())
    assert len(list(read_records(tmp_path / "a.pcap"))) == 1


def test_what_is_written_can_be_read_while_it_goes_on(
    wire: tuple[socket.socket, Any],
    line: tuple[Connection, Connection],
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb", buffering=1 << 20) as file:
        thread = Thread(target=Recorder(wire[1], file, Limits()).run, args=(line[1],))
        thread.start()
        wire[0].send(b"x" * 20)
        wait_until(lambda: path.stat().st_size == 24 + 16 + 20)
        line[0].send(None)
        thread.join()


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        signal.sigtimedwait([], 0.01)
    pytest.fail("it never came")


def recorded(wire: tuple[socket.socket, Any], limits: Limits, line: Connection) -> Recorder:
    recorder = Recorder(wire[1], BytesIO(), limits)
    recorder.run(line)
    return recorder


def test_beyond_the_size_of_the_file_packets_are_left_out(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection]
) -> None:
    for _ in range(5):
        wire[0].send(b"x" * 20)
    wire[0].send(b"x" * 3)
    line[0].send(None)
    counts = recorded(wire, Limits(file_bytes=24 + 2 * 36 + 19), line[1]).counts
    assert counts == Counts(3, 24 + 2 * 36 + 19, left_out=3)
    assert str(counts) == "3 packets in 115 bytes, 3 left out because the file was full"


@pytest.mark.parametrize("told", [False, True])
def test_at_the_wanted_number_it_ends_by_itself(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection], told: bool
) -> None:
    for _ in range(5):
        wire[0].send(b"x" * 20)
    if told:
        line[0].send(None)
    assert recorded(wire, Limits(packets=3), line[1]).counts.packets == 3


def test_more_than_one_batch_is_drained(
    wire: tuple[socket.socket, Any],
    line: tuple[Connection, Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    for _ in range(7):
        wire[0].send(b"x" * 20)
    line[0].send(None)
    assert recorded(wire, Limits(), line[1]).counts.packets == 7


def test_an_interface_that_goes_down_is_no_end(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection]
) -> None:
    wire[1].errors.append(OSError(100, "Network is down"))
    wire[0].send(b"x" * 20)
    line[0].send(None)
    assert recorded(wire, Limits(), line[1]).counts.packets == 1


def test_without_the_kernels_time_it_is_now(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection], tmp_path: Path
) -> None:
    path = tmp_path / "a.pcap"
    wire[0].send(b"x" * 20)
    line[0].send(None)
    with path.open("wb") as file:
        Recorder(wire[1]._heard, file, Limits()).run(line[1])
    assert next(read_records(path)).time_ns > STAMP[0] * 10**9


@pytest.mark.parametrize("path", ["/dev/full", "/nowhere/at/all"])
def test_a_file_that_cannot_be_written_is_told(
    wire: tuple[socket.socket, Any], line: tuple[Connection, Connection], path: str
) -> None:
    wire[0].send(b"x" * 20)
    record(wire[1], path, line[1], Limits())
    assert line[0].recv().startswith("failed: No s")


def test_a_polite_kill_leaves_a_whole_file(
    line: tuple[Connection, Connection], tmp_path: Path
) -> None:
    path = tmp_path / "a.pcap"
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    spawn = multiprocessing.get_context("spawn")
    with left, right:
        child = spawn.Process(target=record, args=(right, str(path), line[1], Limits()))
        child.start()
        left.send(b"x" * 20)
        wait_until(lambda: path.exists() and path.stat().st_size > 24)
        child.terminate()
        child.join(20)
    assert child.exitcode == 0
    assert line[0].poll()
    assert [one.data for one in read_records(path)] == [b"x" * 20]
