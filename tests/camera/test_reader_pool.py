"""Frames of the real world, read by real processes: what each is, and what a bad one costs."""

import asyncio
import os
import signal
import socket
import sys

import numpy as np
import pytest

from firmware_sim.camera import process, reader_pool
from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.shots import Outcome
from firmware_sim.camera.symbol import flat_picture
from firmware_sim.errors import UsageError
from tests.camera.pictures import PAYLOAD, picture
from tests.camera.planted import DIES, EATS, HANGS
from tests.camera.planted import PROGRAM as PLANTED
from tests.camera.pools import is_alive, run, stopped, until


def test_pictures_and_frames_are_read_by_one_process() -> None:
    async def story() -> None:
        async with FrameReader("zxing") as reader:
            assert reader.worker_pids == (), "nothing starts before it is needed"
            assert (await reader.read(picture())).text == PAYLOAD
            pids = reader.worker_pids
            assert (await reader.read(flat_picture(PAYLOAD))).text == PAYLOAD
            nothing = await reader.read(np.zeros((40, 60), np.uint8))
            assert (nothing.outcome, nothing.text) == (Outcome.NOTHING, None)
            assert (await reader.read(b"nonsense")).outcome is Outcome.NO_PICTURE
            large = await reader.read(np.broadcast_to(np.uint8(0), (10_000, 10_000)))
            assert large.outcome is Outcome.TOO_LARGE
            assert reader.worker_pids == pids
            stats = reader.stats
        assert (stats.frames, stats.read, stats.started) == (5, 2, 1)
        assert not any(map(is_alive, pids))

    run(story)


def test_strangers_have_a_process_each() -> None:
    async def story() -> None:
        async with FrameReader("zxing", workers=2, fresh=True) as reader:
            assert await asyncio.gather(*(reader.code_in(picture()) for _ in range(3))) == (
                [PAYLOAD] * 3
            )
            assert (reader.stats.started, reader.worker_pids) == (3, ())
            with pytest.raises(UsageError, match=r"^a\.png: not a picture"):
                await reader.code_in(b"nonsense", "a.png")

    run(story)


@pytest.mark.parametrize(
    ("what", "outcome"),
    [(HANGS, Outcome.LATE), (DIES, Outcome.DIED), (EATS, Outcome.TOO_LARGE)],
)
def test_a_bad_frame_costs_itself(
    monkeypatch: pytest.MonkeyPatch, what: bytes, outcome: Outcome
) -> None:
    async def story() -> None:
        async with FrameReader("frames", limit_s=1.0) as reader:
            result = await reader.read(flat_picture(what))
            assert (result.outcome, result.text) == (outcome, None)
            assert result.problem
            assert (await reader.read(flat_picture(PAYLOAD))).text == PAYLOAD
            stats = reader.stats
        assert (stats.died, stats.late) == (outcome is Outcome.DIED, outcome is Outcome.LATE)

    monkeypatch.setattr(reader_pool, "PROGRAM", PLANTED)
    run(story)


def test_a_worker_that_was_killed_is_replaced() -> None:
    async def story() -> None:
        async with FrameReader("zxing") as reader:
            await reader.read(picture())
            os.kill(reader.worker_pids[0], signal.SIGKILL)
            assert (await reader.read(picture())).outcome is Outcome.DIED
            assert (await reader.read(picture())).text == PAYLOAD

    run(story)


@pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\0\0\0\1\xc1", b"\0\0\0\5"])
def test_a_worker_that_talks_nonsense_has_died(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    async def story() -> None:
        reader = FrameReader("zxing")
        monkeypatch.setattr(reader_pool, "spawn", lambda *_: spoken)
        with pytest.raises(UsageError, match="decode worker ended at its start"):
            await reader.read(picture())
        await reader.close()

    child, stream = process.spawn("tests.camera.told")
    child.wait()
    ours, theirs = reader_pool_sockets(said)
    stream.close()
    spoken = (child, ours)
    with theirs:
        run(story)


def reader_pool_sockets(said: bytes) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.sendall(said)
    theirs.shutdown(socket.SHUT_WR)
    return ours, theirs


# --- what a caller did wrong ----------------------------------------------------------------------


def test_too_many_at_once_are_sent_away() -> None:
    async def story() -> None:
        async with FrameReader("zxing", waiting_max=1) as reader:
            first = asyncio.create_task(reader.read(picture()))
            await asyncio.sleep(0)
            with pytest.raises(UsageError, match="try again"):
                await reader.read(picture())
            assert (await first).text == PAYLOAD

    run(story)


def test_whoever_stops_waiting_costs_a_process() -> None:
    async def story() -> None:
        async with FrameReader("zxing") as reader:
            await reader.read(picture())
            (pid,) = reader.worker_pids
            with stopped(pid):
                waiting = asyncio.create_task(reader.read(picture()))
                await asyncio.sleep(0.05)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                assert not is_alive(pid)
            assert (await reader.read(picture())).text == PAYLOAD

    run(story)


def test_close_ends_what_is_being_read() -> None:
    async def story() -> None:
        reader = FrameReader("zxing")
        await reader.read(picture())
        (pid,) = reader.worker_pids
        with stopped(pid):
            waiting = asyncio.create_task(reader.read(picture()))
            await asyncio.sleep(0.05)
            await reader.close()
            assert (await waiting).outcome is Outcome.DIED
        await until(lambda: not is_alive(pid))
        with pytest.raises(UsageError, match="this program ends"):
            await reader.read(picture())

    run(story)


def test_a_decoder_that_cannot_be_made_is_said() -> None:
    async def story() -> None:
        async with FrameReader("quirc") as reader:
            with pytest.raises(UsageError, match="decoder 'quirc' is unknown"):
                await reader.read(picture())

    run(story)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("/bin/false", "decode worker ended at its start, status 1"),
        ("/nowhere/python", "decode worker cannot be started: No such file or directory"),
    ],
)
def test_a_worker_that_cannot_start(
    monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    async def story() -> None:
        async with FrameReader("zxing") as reader:
            with pytest.raises(UsageError, match=words):
                await reader.read(picture())

    monkeypatch.setattr(sys, "executable", program)
    run(story)


def test_a_worker_that_never_gets_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with FrameReader("zxing") as reader:
            with pytest.raises(UsageError, match="it hung"):
                await reader.read(picture())

    monkeypatch.setattr(reader_pool, "PROGRAM", "tests.camera.sleeper")
    monkeypatch.setattr(reader_pool, "START_LIMIT_S", 0.2)
    run(story)
