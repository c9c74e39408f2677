"""Recordings that fail: each says in one line what happened. What succeeds is in tests/live/lan."""

import asyncio
import errno
import os
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Self

import pytest

from firmware_sim.errors import UsageError
from fleet.lan import capture, packet_filter
from fleet.lan.capture import Recording
from fleet.lan.recorder import Counts, Limits


class Deaf:
    """A packet socket that may be opened, and then refuses what it is told to refuse."""

    def __init__(self, refused: str, number: int) -> None:
        self.refused, self.number = refused, number
        self.options: list[int] = []
        self.closed = False

    def _do(self, what: str) -> None:
        if what == self.refused:
            raise OSError(self.number, os.strerror(self.number))

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        self.options.append(option)
        self._do(f"option {option}")

    def bind(self, where: tuple[str, int]) -> None:
        assert where == ("lan0", 3)
        self._do("bind")

    def recv(self, size: int, flags: int) -> bytes:
        raise BlockingIOError

    def close(self) -> None:
        self.closed = True


def opening(monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    def open_socket(family: int, kind: int, protocol: int) -> Any:
        assert (family, kind) == (socket.AF_PACKET, socket.SOCK_RAW)
        assert protocol == socket.htons(3)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(socket, "socket", open_socket)
    monkeypatch.setattr(capture, "_await_clock", lambda: None)


def test_without_the_right_to_see_packets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opening(monkeypatch, PermissionError(1, "not permitted"))
    with pytest.raises(UsageError, match=r"CAP_NET_RAW.*sudo"):
        Recording(tmp_path / "a.pcap").start()
    assert not (tmp_path / "a.pcap").exists()


def test_on_another_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(socket, "AF_PACKET")
    with pytest.raises(UsageError, match="takes Linux; elsewhere use: tcpdump"):
        Recording(tmp_path / "a.pcap").start()


@pytest.mark.parametrize("network", ["", "127.16.0.1/16", "lan", "::/0"])
def test_a_network_that_is_none(tmp_path: Path, network: str) -> None:
    with pytest.raises(UsageError, match=r"use one such as 127\.16\.0\.0/16"):
        Recording(tmp_path / "a.pcap", network).start()


def test_an_interface_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deaf = Deaf("bind", errno.ENODEV)
    opening(monkeypatch, deaf)
    with pytest.raises(UsageError, match="interface lan0: No such device; `ip link` names"):
        Recording(tmp_path / "a.pcap", interface="lan0").start()
    assert deaf.closed


def test_who_may_not_have_a_large_buffer_takes_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Deaf("option 33", errno.EPERM)
    opening(monkeypatch, deaf)
    capture._open("lan0", "10.0.0.0/8")
    assert deaf.options == [26, 35, 33, socket.SO_RCVBUF, 26]


class Probe:
    """A socket whose packets have a time of their own from the `late`th on."""

    def __init__(self, late: int, error: OSError | None = None) -> None:
        self.late, self.error = late, error
        self.read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def setsockopt(self, *option: int) -> None:
        assert option == (socket.SOL_SOCKET, 35, 1)

    def bind(self, where: tuple[str, int]) -> None:
        if self.error is not None:
            raise self.error

    def getsockname(self) -> str:
        return "here"

    def sendto(self, data: bytes, where: str) -> None:
        assert (data, where) == (b"", "here")

    def recvmsg(self, *_: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, None]:
        self.read += 1
        seconds = 1 if self.read >= self.late else 2**40
        return b"", [(socket.SOL_SOCKET, 35, struct.pack("@ll", seconds, 0))], 0, None


@pytest.mark.parametrize(
    ("probe", "read"),
    [(Probe(1), 1), (Probe(4), 4), (Probe(10**6), 200), (Probe(1, OSError("no loopback")), 0)],
)
def test_packets_are_let_in_when_the_kernel_notes_their_time(
    monkeypatch: pytest.MonkeyPatch, probe: Probe, read: int
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: probe)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    capture._await_clock()
    assert probe.read == read


# --- with a local socket in the place of a packet socket ----------------------------------------


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def open_local(interface: str, network: str) -> socket.socket:
        assert (interface, network) == ("", "0.0.0.0/0")
        return right.dup()

    monkeypatch.setattr(capture, "_open", open_local)
    with left, right:
        yield left


@pytest.mark.usefixtures("wire")
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: Is a directory; choose another"):
        Recording(tmp_path).start()


def test_what_is_no_file_keeps_its_rights(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    capture._begin(pipe)
    os.close(reader)
    assert pipe.stat().st_mode & 0o777 == 0o644


def test_a_recorder_that_fails_is_told_once(wire: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "a.pcap").touch(0o644)
    recording = Recording(tmp_path / "a.pcap", limits=Limits(packets=1))
    recording.start()
    assert (tmp_path / "a.pcap").stat().st_mode & 0o777 == 0o600
    wire.send(b"x" * 20)
    assert recording.ended(30)  # a local socket counts no losses, so it fails at its end
    with pytest.raises(UsageError, match=r"a\.pcap: the recorder failed: .* incomplete"):
        recording.stop()
    assert recording.stop() == Counts()


@pytest.mark.usefixtures("wire")
def test_a_recorder_that_dies_is_told(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.pcap")
    recording.start()
    assert recording._process is not None
    recording._process.kill()
    assert recording.ended(30)
    with pytest.raises(UsageError, match="ended before its time"):
        recording.stop()


@pytest.mark.usefixtures("wire")
def test_a_recorder_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "STOP_S", 0.0)
    recording = Recording(tmp_path / "a.pcap")
    recording.start()
    with pytest.raises(UsageError, match="did not end in time"):
        recording.stop()


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("error", [None, ValueError("of the block")])
def test_a_failure_does_not_hide_what_failed_before(
    tmp_path: Path, error: Exception | None
) -> None:
    async def use() -> None:
        async with Recording(tmp_path / "a.pcap"):
            if error is not None:
                raise error

    with pytest.raises(ValueError if error else UsageError):
        asyncio.run(use())


def test_a_recording_that_was_never_started_has_nothing_to_stop(tmp_path: Path) -> None:
    assert Recording(tmp_path / "a.pcap").stop() == Counts()


def test_the_filter_is_the_last_thing_before_packets_come(monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[bytes] = []
    monkeypatch.setattr(packet_filter, "attach", lambda _, program: programs.append(program))
    opening(monkeypatch, Deaf("", 0))
    capture._open("lan0", "10.0.0.0/8")
    lan = packet_filter.lan_filter(IPv4Network("10.0.0.0/8"))
    assert programs == [packet_filter.nothing(), lan]
