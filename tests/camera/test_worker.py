"""The worker's loop, over a socket pair in this process; `test_pool` runs it as a program."""

import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from firmware_sim.camera import worker
from firmware_sim.camera.messages import (
    Hello,
    Look,
    Report,
    Unframer,
    decode_answer,
    frame_message,
)
from firmware_sim.camera.scene import LensSettings
from tests.camera.poses import QR_TEXT

EASY = LensSettings(
    start_mm=(150.0, 150.0), focus_blur_px=(0.0, 0.0), smear_share=0.0, tilt_deg_max=0.0
)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    with ours, theirs:
        yield ours, theirs


def answers(stream: socket.socket) -> list[Hello | Report]:
    unframer, found = Unframer(), list[Hello | Report]()
    while data := stream.recv(65536):
        found += map(decode_answer, unframer.feed(data))
    return found


@pytest.mark.parametrize("name", ["pyzbar", "zxing"])
def test_each_list_of_looks_gets_one_report(
    ends: tuple[socket.socket, socket.socket], name: str
) -> None:
    ours, theirs = ends
    ours.sendall(frame_message([Look(1, 1, 0, QR_TEXT, EASY), Look(2, 2, 9, None, EASY)]))
    ours.sendall(frame_message([Look(3, 3, 5, b"another", EASY)]))
    ours.shutdown(socket.SHUT_WR)
    before_ns = time.process_time_ns()
    worker.serve(theirs, name)
    theirs.close()
    hello, first, second = answers(ours)
    assert hello == Hello()
    assert isinstance(first, Report)
    assert [(s.camera, s.frame, s.text) for s in first.sights] == [(1, 0, QR_TEXT), (2, 9, None)]
    assert isinstance(second, Report)
    assert [(s.camera, s.frame, s.text) for s in second.sights] == [(3, 5, b"another")]
    assert 0 < first.cpu_ns + second.cpu_ns < time.process_time_ns() - before_ns


def test_a_decoder_that_cannot_be_made_is_the_last_word(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    worker.serve(theirs, "quirc")
    theirs.close()
    assert answers(ours) == [Hello("decoder 'quirc' is unknown: use one of pyzbar, zxing")]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Record what `main` would change for the whole process."""
    done: list[tuple[Any, ...]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(signal, "signal", lambda *args: done.append(args))
    monkeypatch.setattr(os, "nice", lambda step: done.append(("nice", step)))
    return done


def test_main_ignores_ctrl_c_and_lets_event_loops_go_first(
    ends: tuple[socket.socket, socket.socket], settled: list[tuple[Any, ...]]
) -> None:
    ours, theirs = ends
    ours.shutdown(socket.SHUT_WR)
    worker.main("zxing", theirs.detach())
    assert settled == [(signal.SIGINT, signal.SIG_IGN), ("nice", 5)]
    assert answers(ours) == [Hello()]


@pytest.mark.usefixtures("settled")
def test_main_ends_quietly_when_its_owner_is_gone(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    ours.close()
    worker.main("zxing", theirs.detach())
