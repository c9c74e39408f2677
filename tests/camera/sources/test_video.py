"""Frames of a video through its process: all of them, an early end, and a process that dies."""

import asyncio
import os
import signal
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.camera import process
from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.shots import Shot
from firmware_sim.camera.sources import video as video_module
from firmware_sim.camera.sources.video import video
from firmware_sim.errors import UsageError
from tests.camera.pictures import PAYLOAD
from tests.camera.pools import is_alive, run
from tests.camera.sources.videos import frame_with, make_video, some_frames


def test_a_code_in_a_video_is_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", some_frames())

    async def story() -> None:
        async with FrameReader("zxing") as reader, aclosing(video("file", str(path))) as shots:
            read = [(shot.number, (await reader.read(shot.frame)).text) async for shot in shots]
        assert read == [*((n, None) for n in range(3)), *((n, PAYLOAD) for n in range(3, 6))]

    run(story)


def test_whoever_leaves_early_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", [frame_with(None)] * 100)
    pids = spied(monkeypatch)

    async def story() -> None:
        async with aclosing(video("file", str(path))) as shots:
            assert isinstance((await anext(shots)).frame, np.ndarray)
            assert is_alive(pids[0])
        assert not is_alive(pids[0])

    run(story)


def test_a_process_that_dies_is_said_in_a_last_shot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", [frame_with(None)] * 100)
    pids = spied(monkeypatch)

    async def story() -> None:
        shots = list[Shot]()
        async with aclosing(video("file", str(path))) as coming:
            async for shot in coming:
                if not shots:
                    os.kill(pids[0], signal.SIGKILL)
                shots.append(shot)
        assert shots[-1].problem == f"{path}: {video_module._died(30)}"
        assert shots[-1].number == shots[-2].number + 1

    run(story)


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match=r"a\.mp4: what unpacks it has died, or"):
            async for _ in video("file", "a.mp4", limit_s=0.3):
                pass

    monkeypatch.setattr(video_module, "PROGRAM", "tests.camera.sleeper")
    run(story)


def test_a_source_that_cannot_be_opened() -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match="no camera that can be opened"):
            async for _ in video("camera", "/dev/null"):
                pass

    run(story)


@pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\0\0\0\1\xc1"])
def test_a_process_that_talks_nonsense_has_died(said: bytes) -> None:
    async def story() -> None:
        stream = asyncio.StreamReader()
        stream.feed_data(said)
        stream.feed_eof()
        assert await video_module._next(stream) is None

    run(story)


def spied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the ids of processes as they are started."""
    pids: list[int] = []

    def spawn(*words: str, keep: tuple[str, ...]) -> object:
        child, stream = process.spawn(*words, keep=keep)
        pids.append(child.pid)
        return child, stream

    monkeypatch.setattr(video_module, "spawn", spawn)
    return pids
