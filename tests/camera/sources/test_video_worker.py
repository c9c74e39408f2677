"""The process that unpacks video, in this process: what it sends of good and of hostile files."""

import builtins
import os
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.camera.messages import Hello
from firmware_sim.camera.sources import video_worker
from firmware_sim.camera.sources.video_messages import Ended, Picture, decode_message
from firmware_sim.camera.sources.video_worker import serve
from tests.camera.sources.videos import HEIGHT_PX, WIDTH_PX, frame_with, make_video, some_frames

Said = Hello | Picture | Ended


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        end.settimeout(20)
    with ours, theirs:
        yield ours, theirs


def said(ends: tuple[socket.socket, socket.socket], kind: str, name: str) -> list[Said]:
    ours, theirs = ends
    serve(theirs, kind, name)
    theirs.close()
    with ours.makefile("rb") as stream:
        found = list[Said]()
        while head := stream.read(4):
            found.append(decode_message(stream.read(int.from_bytes(head, "big"))))
    return found


def test_frames_in_grey_with_their_times(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    frames = some_frames()
    hello, *pictures, ended = said(ends, "file", str(make_video(tmp_path / "a.mp4", frames)))
    assert (hello, ended) == (Hello(), Ended())
    assert len(pictures) == len(frames)
    for number, picture in enumerate(pictures):
        assert isinstance(picture, Picture)
        assert picture.number == number
        assert picture.time_s == pytest.approx(number / 10)
        assert (picture.width_px, picture.height_px) == (WIDTH_PX, HEIGHT_PX)
        luma = np.frombuffer(picture.rows, np.uint8).reshape(HEIGHT_PX, WIDTH_PX)
        assert np.abs(luma.astype(int) - frames[number]).mean() < 8


def test_a_device_is_opened_by_its_format(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg's own generator stands in for the camera that a test machine has not got."""
    monkeypatch.setitem(video_worker._FORMATS, "camera", "lavfi")
    hello, *pictures, ended = said(ends, "camera", "color=c=white:size=64x48:rate=5:duration=1")
    assert (hello, ended) == (Hello(), Ended())
    assert len(pictures) == 5
    assert isinstance(pictures[0], Picture)
    assert set(pictures[0].rows) == {255}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"#EXTM3U\n#EXTINF:1,\nREAL\n",
        b"ffconcat version 1.0\nfile 'REAL'\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
    ids=["empty", "text", "playlist", "concat", "sdp"],
)
def test_no_file_leads_to_another_one(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path, content: bytes
) -> None:
    real = make_video(tmp_path / "real.mp4", some_frames()[:1])
    path = tmp_path / "list.m3u8"
    path.write_bytes(content.replace(b"REAL", str(real).encode()))
    (hello,) = said(ends, "file", str(path))
    assert isinstance(hello, Hello)
    assert "neither a picture nor a video" in hello.problem


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("file", "/nowhere/clip.mp4", "clip.mp4: neither a picture nor a video that can be read"),
        ("file", "http://127.0.0.1:9/a.mp4", "No such file"),
        ("camera", "/dev/null", "/dev/null: no camera that can be opened"),
        ("screen", ":1234", ":1234: no screen that can be seen"),
    ],
)
def test_what_cannot_be_opened(
    ends: tuple[socket.socket, socket.socket], kind: str, name: str, why: str
) -> None:
    (hello,) = said(ends, kind, name)
    assert isinstance(hello, Hello)
    assert why in hello.problem


def test_a_frame_that_is_too_large_ends_it(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_worker, "PIXELS_MAX", WIDTH_PX * HEIGHT_PX - 1)
    path = make_video(tmp_path / "a.avi", [frame_with(None)] * 2)
    *_, ended = said(ends, "file", str(path))
    assert isinstance(ended, Ended)
    assert ended.problem


def test_a_file_that_is_cut_off_or_spoiled(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.avi", some_frames())
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = os.urandom(len(content) // 4)
    path.write_bytes(content)
    hello, *rest = said(ends, "file", str(path))
    assert isinstance(hello, Hello)
    assert hello.problem or isinstance(rest[-1], Ended)


def test_a_file_with_sound_only(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (hello,) = said(ends, "file", str(path))
    assert isinstance(hello, Hello)
    assert "there is no picture in it" in hello.problem


def test_without_pyav_it_says_what_to_install(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "av":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    (hello,) = said(ends, "file", "a.mp4")
    assert isinstance(hello, Hello)
    assert "pip install 'firmware-sim[video]'" in hello.problem


def test_main_ends_quietly_when_its_owner_is_gone(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bounds: list[tuple[int, int]] = []
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "nice", lambda _: None)
    monkeypatch.setattr(resource, "setrlimit", lambda what, most: bounds.append((what, most[0])))
    ours, theirs = ends
    ours.close()
    path = make_video(tmp_path / "a.avi", some_frames())
    video_worker.main("file", str(path), theirs.detach())
    assert (resource.RLIMIT_AS, video_worker.MEMORY_MAX) in bounds
