"""A bounded pool of worker processes that take and decode frames for an asyncio program.

A real camera drops frames while its decoder is busy, and so does this pool: of each camera at
most one frame waits, or else one is with a worker; a newer frame takes the place, and the turn,
of one that still waits. However long the queue, a worker therefore looks at a frame that is
never older than one frame period, and no camera is starved by others.

A worker that dies, or answers nothing for `LIMIT_S`, is replaced, and the frames that it had count
as lost.
"""

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Self

import msgspec

from firmware_sim.camera.messages import Hello, Look, Report, Sight
from firmware_sim.camera.worker_link import Job, WorkerLink
from firmware_sim.errors import UsageError

__all__ = ["DecodePool", "Look", "PoolStats", "Sight"]

_GROUP = 4
"""Frames in one message: waking the event loop for a single one costs as much as three more.
A worker has up to two groups, so that it never waits for the loop."""
_START_TRIES = 3
_START_LIMIT_S = 30.0
LIMIT_S = 10.0
"""How long a worker may take for a group of frames, which is a few hundredths of a second's work.
Whoever has no core to run on for that long would not have answered in time anyway."""


class PoolStats(msgspec.Struct, frozen=True):
    """What a pool has done so far. `cpu_ms` is the workers' processor time for `frames`."""

    frames: int
    decoded: int
    lost: int
    """Frames that died with their worker, or that it hung on; they count as undecodable."""
    skipped: int
    """Frames refused for want of room, or replaced by a newer one while they waited."""
    restarts: int
    """Workers that were replaced, for either reason."""
    hung: int
    """Workers that had to be killed, because they did not answer."""
    cpu_ms: float


class DecodePool:
    """Decodes frames in worker processes; made by `await DecodePool.open(...)`.

    Use it from one event loop only, and close it; also an async context manager.
    """

    def __init__(
        self, decoder_name: str, workers: int, waiting_max: int, limit_s: float = LIMIT_S
    ) -> None:
        """Prepare a pool without starting anything: `open` does."""
        if workers < 1 or waiting_max < 1:
            raise UsageError(f"decode pool: {workers} workers, {waiting_max} waiting: at least 1")
        self._decoder_name = decoder_name
        self._workers_wanted = workers
        self._waiting_max = waiting_max
        self._limit_s = limit_s
        self._waiting: dict[int, Job] = {}
        self._workers: list[WorkerLink] = []
        self._starts: set[asyncio.Task[None]] = set()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failed_starts = 0
        self._problem = ""
        self._closed = False
        self._feeding = False
        self._frames = self._decoded = self._lost = self._skipped = 0
        self._restarts = self._hung = self._cpu_ns = 0

    @classmethod
    async def open(
        cls,
        decoder_name: str = "pyzbar",
        *,
        workers: int = 1,
        waiting_max: int = 1024,
        limit_s: float = LIMIT_S,
    ) -> Self:
        """Start the workers and return when each has passed its decoder's self-test.

        At most `waiting_max` cameras have a frame waiting; `limit_s` as `LIMIT_S`. Raises UsageError
        when the decoder cannot be used here (see `decoder.make_decoder`) or a worker cannot start.
        """
        pool = cls(decoder_name, workers, waiting_max, limit_s)
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

    async def __aenter__(self) -> Self:
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
            hung=self._hung,
            cpu_ms=self._cpu_ns / 1e6,
        )

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers that live now."""
        return tuple(link.process.pid for link in self._workers)

    def submit(self, look: Look) -> asyncio.Future[Sight] | None:
        """Queue one frame; return its result to come, or None when the frame is dropped.

        Dropped: a frame of this camera is with a worker, or `waiting_max` cameras wait already,
        or the pool is closed. The caller simply comes back with the camera's next frame. A
        result is never an exception: a frame that is replaced by a newer one, dies with its
        worker or is caught by `close` comes back unread. Raises UsageError once workers can no
        longer be started at all.
        """
        if self._problem:
            raise UsageError(self._problem)
        older = self._waiting.get(look.camera)
        if older is None and not self._has_room(look.camera):
            self._skipped += 1
            return None
        job = Job(look, asyncio.get_running_loop().create_future())
        self._waiting[look.camera] = job
        if older is not None:
            self._skipped += 1
            older.resolve(None)
        self._feed_soon()
        return job.result

    async def close(self) -> None:
        """Kill the workers, which hold nothing worth saving; outstanding frames are unread."""
        self._closed = True
        await asyncio.gather(*self._starts)
        for link in self._workers:
            link.process.kill()
        # The end of each stream follows at once, and `_ended` takes the worker off the list.
        await asyncio.gather(*(link.gone for link in self._workers))
        self._drop_waiting()
        self._opened.cancel()

    def _has_room(self, camera: int) -> bool:
        if self._closed or len(self._waiting) >= self._waiting_max:
            return False
        return not any(camera in link.jobs for link in self._workers)

    def _feed_soon(self) -> None:
        """Hand out frames after this round of the event loop, so that they share messages."""
        if not self._feeding:
            self._feeding = True
            asyncio.get_running_loop().call_soon(self._feed)

    def _feed(self) -> None:
        self._feeding = False
        hungry = [link for link in self._workers if link.ready and len(link.jobs) <= _GROUP]
        hungry.sort(key=lambda link: len(link.jobs))
        for position, link in enumerate(hungry):
            share = -(-len(self._waiting) // (len(hungry) - position))
            cameras = list(islice(self._waiting, min(share, _GROUP)))
            if cameras:
                link.give([self._waiting.pop(camera) for camera in cameras])
        if hungry and self._waiting:
            self._feed_soon()  # the second groups

    async def _start(self) -> None:
        try:
            link = WorkerLink(
                self._decoder_name, (_START_LIMIT_S, self._limit_s), self._heard, self._ended
            )
        except OSError as error:
            self._give_up(f"decode worker cannot be started: {error.strerror}")
            return
        self._workers.append(link)
        await link.connect()

    def _heard(self, link: WorkerLink, answer: Hello | Report) -> None:
        if isinstance(answer, Hello):
            self._greeted(link, answer)
        else:
            self._answered(link.jobs, answer)
        self._feed_soon()

    def _greeted(self, link: WorkerLink, hello: Hello) -> None:
        link.problem = hello.problem
        link.ready = not hello.problem
        if link.ready:
            self._failed_starts = 0
        if not self._opened.done() and sum(w.ready for w in self._workers) == self._workers_wanted:
            self._opened.set_result(None)

    def _answered(self, jobs: dict[int, Job], report: Report) -> None:
        self._cpu_ns += report.cpu_ns
        for sight in report.sights:
            self._frames += 1
            self._decoded += sight.text is not None
            jobs.pop(sight.camera).resolve(sight.text)

    def _ended(self, link: WorkerLink) -> None:
        """Count what died with a worker, and put another one in its place."""
        self._workers.remove(link)
        self._unread(link.jobs.values())
        if self._closed:
            return
        if not link.ready:
            self._failed_starts += 1
        if not self._opened.done() or self._failed_starts >= _START_TRIES:
            status = link.process.returncode
            self._give_up(link.problem or f"decode worker ended at its start, status {status}")
            return
        self._restarts += 1
        self._hung += link.hung
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

    def _unread(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._lost += not self._closed
            job.resolve(None)
