"""Reads frames of the real world in worker processes: a file, a photograph, a camera's picture.

Whatever a frame does to Pillow or to a decoder's library, it costs that one frame: a worker that
dies or takes too long is gone, and the next frame gets another one.
"""

import asyncio
import subprocess
from typing import Self

import msgspec

from firmware_sim.camera.messages import MESSAGE_SIZE_MAX, Hello, frame_message
from firmware_sim.camera.patience import Patience
from firmware_sim.camera.process import spawn
from firmware_sim.camera.shots import Frame, FrameResult, Outcome, one_line, oversize, task_of
from firmware_sim.errors import UsageError

PROGRAM = "firmware_sim.camera.picture_worker"
LIMIT_S = 15.0  # for one frame, on the wall
START_LIMIT_S = 30.0
WAITING_MAX = 16
_LENGTH_SIZE = 4

_decode_answer = msgspec.msgpack.Decoder(Hello | FrameResult).decode


class ReaderStats(msgspec.Struct, frozen=True):
    """What a reader has done so far: frames, those read, those lost and why, workers started."""

    frames: int
    read: int
    died: int
    late: int
    started: int


class FrameReader:
    """Reads frames with a decoder, as many at once as it has workers.

    Workers start with the first frame. Use it from one event loop only, and close it; also an async
    context manager. With `fresh` each frame has a process of its own: for frames of many strangers,
    of whom none is to learn what others have sent.
    """

    def __init__(
        self,
        decoder_name: str = "pyzbar",
        *,
        workers: int = 1,
        waiting_max: int = WAITING_MAX,
        limit_s: float = LIMIT_S,
        fresh: bool = False,
    ) -> None:
        """Prepare a reader; `limit_s` is how long one frame may take."""
        self._decoder_name = decoder_name
        self._waiting_max = waiting_max
        self._limit_s = limit_s
        self._fresh = fresh
        self._gate = asyncio.Semaphore(workers)
        self._waiting = 0
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._closed = False
        self._frames = self._read = self._died = self._late = self._started = 0

    async def __aenter__(self) -> Self:
        """Return the reader."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the reader."""
        await self.close()

    @property
    def stats(self) -> ReaderStats:
        """Return the counters as they are now."""
        return ReaderStats(self._frames, self._read, self._died, self._late, self._started)

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers that live now."""
        return tuple(worker.pid for worker in (*self._idle, *self._busy))

    async def read(self, frame: Frame, number: int | None = None) -> FrameResult:
        """Return what became of a frame: uint8 rows of a grey picture, or a picture file's bytes.

        A picture is looked at in all ways that help. One of many that follow each other has a
        `number`; it is looked at in two, and the next one in others.

        Raises UsageError when it has to wait behind too many others, and when the decoder cannot be
        used here at all.
        """
        if problem := oversize(frame):
            return self._counted(FrameResult(Outcome.TOO_LARGE, problem=problem))
        if self._waiting >= self._waiting_max:
            raise UsageError("too many pictures at once: try again")
        self._waiting += 1
        try:
            async with self._gate:
                return self._counted(await self._attempt(frame_message(task_of(frame, number))))
        finally:
            self._waiting -= 1

    async def code_in(self, picture: bytes, name: str = "the picture") -> bytes:
        """Return the code in a picture. Raises UsageError, which begins with `name`."""
        result = await self.read(picture)
        if result.text is None:
            raise UsageError(f"{name}: {result.problem}")
        return result.text

    async def close(self) -> None:
        """Kill the workers, which hold nothing worth saving; frames that are read now are lost."""
        self._closed = True
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle.clear()
        await asyncio.sleep(0)  # in which their sockets are closed

    def _counted(self, result: FrameResult) -> FrameResult:
        self._frames += 1
        self._read += result.outcome is Outcome.READ
        self._died += result.outcome is Outcome.DIED
        self._late += result.outcome is Outcome.LATE
        return result

    async def _attempt(self, task: bytes) -> FrameResult:
        if self._closed:
            raise UsageError("nothing is read any more: this program ends")
        worker = self._idle.pop() if self._idle else await self._start()
        self._busy.add(worker)
        try:
            result = await worker.ask(task, self._limit_s)
        finally:
            self._busy.remove(worker)
            if self._fresh or self._closed or not worker.ready:
                worker.end()
            else:
                self._idle.append(worker)
        return result

    async def _start(self) -> "_Worker":
        try:
            worker = await _Worker.start(self._decoder_name)
        except OSError as error:
            raise UsageError(f"decode worker cannot be started: {error.strerror}") from None
        self._started += 1
        return worker


class _Worker:
    """One process. `ready` while it waits for a frame: not while it has one, and never after."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        answers: asyncio.StreamReader,
        tasks: asyncio.StreamWriter,
    ) -> None:
        self.ready = False
        self._process = process
        self._answers = answers
        self._tasks = tasks
        self._late = False

    @classmethod
    async def start(cls, decoder_name: str) -> Self:
        """Start a process and wait until its decoder is fit. Raises UsageError and OSError."""
        process, ours = spawn(PROGRAM, decoder_name)
        worker = cls(process, *await asyncio.open_unix_connection(sock=ours))
        try:
            hello = await worker._heard(START_LIMIT_S)
            if not isinstance(hello, Hello):
                status = process.wait() if not worker._late else "unknown: it hung"
                raise UsageError(f"decode worker ended at its start, status {status}")
            if hello.problem:
                raise UsageError(one_line(hello.problem))
            worker.ready = True
        finally:
            if not worker.ready:
                worker.end()
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, task: bytes, limit_s: float) -> FrameResult:
        """Return what the process says of a task, or what happened to the process."""
        self.ready = False
        self._tasks.write(task)
        answer = await self._heard(limit_s)
        if isinstance(answer, FrameResult):
            self.ready = True
            return FrameResult(answer.outcome, answer.text, one_line(answer.problem))
        if self._late:
            return FrameResult(Outcome.LATE, problem=f"it takes longer than {limit_s:g} s to read")
        return FrameResult(Outcome.DIED, problem="the decoder has died of it")

    def end(self) -> None:
        """Kill the process."""
        self.ready = False
        self._tasks.close()
        self._process.kill()
        self._process.wait()

    async def _heard(self, limit_s: float) -> Hello | FrameResult | None:
        """Return the next message; None: the process is gone, was too late, or talks nonsense."""
        patience = Patience(limit_s, self._lose_patience)
        patience.expect()
        try:
            size = int.from_bytes(await self._answers.readexactly(_LENGTH_SIZE), "big")
            if size > MESSAGE_SIZE_MAX:
                return None
            answer: Hello | FrameResult = _decode_answer(await self._answers.readexactly(size))
        except (asyncio.IncompleteReadError, OSError, msgspec.DecodeError):
            return None
        finally:
            patience.end()
        return answer

    def _lose_patience(self) -> None:
        self._late = True
        self._process.kill()
