"""The process that reads pictures: its hello, its answers, its end; and that its bounds hold."""

import io
import os
import resource
import signal
import socket
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageFilter

from firmware_sim.camera import picture_worker
from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.messages import Hello, Unframer, frame_message
from firmware_sim.camera.picture_worker import serve
from firmware_sim.camera.shots import Frame, FrameResult, Outcome, task_of
from firmware_sim.camera.symbol import flat_picture
from tests.camera.pictures import PAYLOAD, picture

decode = msgspec.msgpack.Decoder(Hello | FrameResult).decode


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)  # room for some frames
    with ours, theirs:
        yield ours, theirs


def tell(stream: socket.socket, *frames: Frame) -> None:
    for frame in frames:
        stream.sendall(frame_message(task_of(frame)))
    stream.shutdown(socket.SHUT_WR)


def answers(stream: socket.socket) -> list[Hello | FrameResult]:
    unframer, found = Unframer(), list[Hello | FrameResult]()
    while data := stream.recv(65536):
        found += map(decode, unframer.feed(data))
    return found


def test_each_frame_gets_one_answer(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    tell(ours, picture(), b"nonsense", np.zeros((30, 40), np.uint8))
    serve(theirs, "zxing")
    theirs.close()
    hello, first, second, third = answers(ours)
    assert hello == Hello()
    assert first == FrameResult(Outcome.READ, PAYLOAD)
    assert isinstance(second, FrameResult)
    assert second.outcome is Outcome.NO_PICTURE
    assert isinstance(third, FrameResult)
    assert third.outcome is Outcome.NOTHING


def test_a_file_is_looked_at_in_all_ways(ends: tuple[socket.socket, socket.socket]) -> None:
    code = Image.fromarray(flat_picture(PAYLOAD))
    blurred = code.filter(ImageFilter.GaussianBlur(2.2))
    assert make_decoder("zxing").decode(np.asarray(blurred)) is None
    file = io.BytesIO()
    blurred.save(file, "PNG")
    ours, theirs = ends
    tell(ours, file.getvalue())
    serve(theirs, "zxing")
    theirs.close()
    assert answers(ours) == [Hello(), FrameResult(Outcome.READ, PAYLOAD)]


def test_an_unknown_decoder_is_the_last_word(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    serve(theirs, "eagle")
    theirs.close()
    assert answers(ours) == [Hello("decoder 'eagle' is unknown: use one of pyzbar, zxing")]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process as it is."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "nice", lambda _: None)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)


@pytest.mark.usefixtures("settled")
def test_main_serves_until_its_owner_is_gone(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    tell(ours)
    picture_worker.main("zxing", theirs.detach())
    assert answers(ours) == [Hello()]


@pytest.mark.usefixtures("settled")
def test_main_ends_quietly_when_its_owner_was_killed(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    ours.close()
    picture_worker.main("zxing", theirs.detach())
