"""A bounded pool of worker processes that take and decode frames for an asyncio program.

A real camera drops frames while its decoder is busy, and so does this pool: of each camera at
most one frame waits and at most one is being decoded; a newer frame takes the place, and the
turn, of one that still waits. However long the queue, what a worker looks at is therefore never
older than one frame period, and no camera is starved by others.

The only module of the lens that uses asyncio. Workers are started as programs of their own
rather than by `multiprocessing`: they import nothing but the lens, may belong to a daemonic
shard process, and leave no resource tracker behind.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

import firmware_sim
from firmware_sim.camera.messages import (
    Hello,
    Look,
    Report,
    Sight,
    Unframer,
    decode_answer,
    frame_message,
)
from firmware_sim.errors import UsageError

__all__ = ["DecodePool", "Look", "PoolStats", "Sight"]

_GROUP = 4
"""Frames in one message. A message and its answer cost the event loop about as much as the frame
itself, so they are shared; a worker has up to two groups, so that it never waits for the loop."""
_START_TRIES = 3
_START_LIMIT_S = 30.0


class PoolStats(msgspec.Struct, frozen=True):
    """What a pool has done so far. `cpu_ms` is the workers' processor time for `frames`."""

    frames: int
    decoded: int
    lost: int
    """Frames that died with their worker; they count as undecodable."""
    skipped: int
    """Frames refused for want of room, or replaced by a newer one while they waited."""
    restarts: int
    cpu_ms: float


class _Job(NamedTuple):
    look: Look
    result: asyncio.Future[Sight]

    def resolve(self, text: bytes | None) -> None:
        if not self.result.done():
            self.result.set_result(Sight(self.look.camera, self.look.frame, text))


class _Worker(asyncio.Protocol):
    """The pool's end of one worker: its process, and the frames it was given."""

    def __init__(self, pool: "DecodePool", process: subprocess.Popen[bytes]) -> None:
        self.jobs: dict[int, _Job] = {}
        self.ready = False
        self.problem = ""
        self.process = process
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pool = pool
        self._unframer = Unframer()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because uvloop's stream transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def give(self, jobs: list[_Job]) -> None:
        assert self._transport is not None
        self.jobs.update((job.look.camera, job) for job in jobs)
        self._transport.write(frame_message([job.look for job in jobs]))

    def data_received(self, data: bytes) -> None:
        for body in self._unframer.feed(data):
            answer = decode_answer(body)
            if isinstance(answer, Report):
                self._pool._answered(self.jobs, answer)
            else:
                self._greeted(answer)
        self._pool._feed_soon()

    def _greeted(self, hello: Hello) -> None:
        self.problem = hello.problem
        self.ready = not hello.problem
        if self.ready:
            self._pool._greeted()

    def connection_lost(self, exc: Exception | None) -> None:
        self.process.kill()
        self.process.wait()
        self.gone.set_result(None)
        self._pool._ended(self)


class DecodePool:
    """Decodes frames in `workers` processes; made by `await DecodePool.open(...)`.

    Use it from one event loop only, and close it; also an async context manager.
    """

    def __init__(self, decoder_name: str, workers: int, waiting_max: int) -> None:
        """Prepare a pool without starting anything: `open` does."""
        self._decoder_name = decoder_name
        self._workers_wanted = workers
        self._waiting_max = waiting_max
        self._waiting: dict[int, _Job] = {}
        self._workers: list[_Worker] = []
        self._starts: set[asyncio.Task[None]] = set()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failed_starts = 0
        self._problem = ""
        self._closed = False
        self._feeding = False
        self._frames = self._decoded = self._lost = self._skipped = 0
        self._restarts = self._cpu_ns = 0

    @classmethod
    async def open(
        cls, decoder_name: str = "pyzbar", *, workers: int = 1, waiting_max: int = 1024
    ) -> "DecodePool":
        """Start the workers and return when each has passed its decoder's self-test.

        At most `waiting_max` cameras have a frame waiting. Raises UsageError when the decoder
        cannot be used here (see `decoder.make_decoder`) or a worker cannot start.
        """
        if workers < 1 or waiting_max < 1:
            raise UsageError(f"decode pool: {workers} workers, {waiting_max} waiting: at least 1")
        pool = cls(decoder_name, workers, waiting_max)
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                for _ in range(workers):
                    await pool._start()
                await pool._opened
        except TimeoutError:
            await pool.close()
            raise UsageError(f"decode workers: not ready in {_START_LIMIT_S:g} s") from None
        except BaseException:
            await pool.close()
            raise
        return pool

    async def __aenter__(self) -> "DecodePool":
        """Return the pool."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool."""
        await self.close()

    @property
    def stats(self) -> PoolStats:
        """Return the counters as they are now."""
        return PoolStats(
            frames=self._frames,
            decoded=self._decoded,
            lost=self._lost,
            skipped=self._skipped,
            restarts=self._restarts,
            cpu_ms=self._cpu_ns / 1e6,
        )

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers that live now."""
        return tuple(worker.process.pid for worker in self._workers)

    def submit(self, look: Look) -> asyncio.Future[Sight] | None:
        """Queue one frame; return its result to come, or None when the frame is dropped.

        Dropped: the camera's last frame is still being decoded, or `waiting_max` cameras wait
        already, or the pool is closed. The caller simply comes back with its next frame. A
        result is never an exception: a frame that is replaced by a newer one, dies with its
        worker or is caught by `close` comes back unread. Raises UsageError once workers can no
        longer be started at all.
        """
        if self._problem:
            raise UsageError(self._problem)
        camera = look.camera
        older = self._waiting.get(camera)
        if older is None and not self._has_room(camera):
            self._skipped += 1
            return None
        job = _Job(look, asyncio.get_running_loop().create_future())
        self._waiting[camera] = job
        if older is not None:
            self._skipped += 1
            older.resolve(None)
        self._feed_soon()
        return job.result

    async def close(self) -> None:
        """Kill the workers, which hold nothing worth saving; outstanding frames are unread."""
        self._closed = True
        await asyncio.gather(*self._starts)
        for worker in self._workers:
            worker.process.kill()
        # The end of the stream follows at once; `_ended` takes the worker off the list.
        await asyncio.gather(*(worker.gone for worker in self._workers))
        self._drop_waiting()
        if not self._opened.done():
            self._opened.cancel()

    def _has_room(self, camera: int) -> bool:
        if self._closed or len(self._waiting) >= self._waiting_max:
            return False
        return not any(camera in worker.jobs for worker in self._workers)

    def _feed_soon(self) -> None:
        """Hand out frames once this round of the event loop is over: one message per worker."""
        if not self._feeding:
            self._feeding = True
            asyncio.get_running_loop().call_soon(self._feed)

    def _feed(self) -> None:
        self._feeding = False
        hungry = [w for w in self._workers if w.ready and len(w.jobs) <= _GROUP]
        hungry.sort(key=lambda worker: len(worker.jobs))
        for position, worker in enumerate(hungry):
            share = -(-len(self._waiting) // (len(hungry) - position))
            cameras = list(islice(self._waiting, min(share, _GROUP)))
            if cameras:
                worker.give([self._waiting.pop(camera) for camera in cameras])

    def _answered(self, jobs: dict[int, _Job], report: Report) -> None:
        self._cpu_ns += report.cpu_ns
        for sight in report.sights:
            self._frames += 1
            self._decoded += sight.text is not None
            jobs.pop(sight.camera).resolve(sight.text)

    async def _start(self) -> None:
        """Start one worker and connect to it; it says hello when it is ready."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = _spawn(self._decoder_name, theirs.fileno())
            except OSError as error:
                ours.close()
                self._give_up(f"decode worker cannot be started: {error.strerror}")
                return
        worker = _Worker(self, process)
        self._workers.append(worker)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: worker, sock=ours)

    def _greeted(self) -> None:
        self._failed_starts = 0
        if not self._opened.done() and sum(w.ready for w in self._workers) == self._workers_wanted:
            self._opened.set_result(None)

    def _ended(self, worker: _Worker) -> None:
        """Count what died with a worker, and put another one in its place."""
        self._workers.remove(worker)
        self._unread(worker.jobs.values())
        if self._closed:
            return
        if not worker.ready:
            self._failed_starts += 1
        if not self._opened.done() or self._failed_starts >= _START_TRIES:
            status = worker.process.returncode
            self._give_up(worker.problem or f"decode worker ended at its start, status {status}")
            return
        self._restarts += 1
        task = asyncio.get_running_loop().create_task(self._start())
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    def _give_up(self, problem: str) -> None:
        self._problem = problem
        if not self._opened.done():
            self._opened.set_exception(UsageError(problem))
        self._drop_waiting()

    def _drop_waiting(self) -> None:
        jobs = list(self._waiting.values())
        self._waiting.clear()
        self._unread(jobs)

    def _unread(self, jobs: Iterable[_Job]) -> None:
        for job in jobs:
            self._lost += not self._closed
            job.resolve(None)


def _spawn(decoder_name: str, descriptor: int) -> subprocess.Popen[bytes]:
    """Start a worker program that serves `descriptor`."""
    root = str(Path(firmware_sim.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    # One numpy thread: a worker uses one core, and there are as many workers as cores to use.
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-P", "-m", "firmware_sim.camera.worker", decoder_name, str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        env=environment,
        # Out of the terminal's foreground group: Ctrl-C must not hit it while it still imports.
        process_group=0,
    )
