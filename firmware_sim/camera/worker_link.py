"""The pool's end of one worker: its process, its socket, and the frames it was given."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, cast

from firmware_sim.camera.messages import (
    Hello,
    Look,
    Report,
    Sight,
    Unframer,
    decode_answer,
    frame_message,
)
from firmware_sim.camera.patience import Patience
from firmware_sim.camera.process import spawn

PROGRAM = "firmware_sim.camera.worker"

Heard = Callable[["WorkerLink", Hello | Report], None]
Ended = Callable[["WorkerLink"], None]


class Job(NamedTuple):
    """A frame somebody waits for."""

    look: Look
    result: asyncio.Future[Sight]

    def resolve(self, text: bytes | None) -> None:
        """Give the result, unless whoever waited has cancelled it."""
        if not self.result.done():
            self.result.set_result(Sight(self.look.camera, self.look.frame, text))


class WorkerLink(asyncio.Protocol):
    """One worker. `jobs` are the frames it has, by camera; `ready` once it has said hello."""

    def __init__(
        self, decoder_name: str, limit_s: tuple[float, float], heard: Heard, ended: Ended
    ) -> None:
        """Start the process; raises OSError. `heard` gets each of its messages, `ended` its end.

        It is killed when it takes longer than the first limit to get ready, or longer than the
        second one to answer.
        """
        self.process, self._socket = spawn(PROGRAM, decoder_name)
        self.hung = False
        self._starting = Patience(limit_s[0], self._give_up)
        self._answering = Patience(limit_s[1], self._give_up)
        self.jobs: dict[int, Job] = {}
        self.ready = False
        self.problem = ""
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = heard
        self._ended = ended
        self._unframer = Unframer()
        self._transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        """Begin to listen to the worker; it says hello when its decoder is ready."""
        loop = asyncio.get_running_loop()
        self._starting.expect()
        await loop.create_unix_connection(lambda: self, sock=self._socket)

    def give(self, jobs: list[Job]) -> None:
        """Send frames to the worker, in one message."""
        assert self._transport is not None
        if not self.jobs:
            self._answering.expect()
        self.jobs.update((job.look.camera, job) for job in jobs)
        self._transport.write(frame_message([job.look for job in jobs]))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (a cast, because uvloop's do not derive from asyncio's)."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on the messages that `data` completes."""
        for body in self._unframer.feed(data):
            self._starting.end()
            self._heard(self, decode_answer(body))
            if self.jobs:
                self._answering.expect()
            else:
                self._answering.rest()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Make sure that the process is gone, and say so."""
        self._starting.end()
        self._answering.end()
        self.process.kill()
        self.process.wait()
        self.gone.set_result(None)
        self._ended(self)

    def _give_up(self) -> None:
        """Kill a worker that does not answer; the end of its stream follows."""
        self.hung = True
        if not self.ready:
            self.problem = "decode worker did not get ready in time"
        self.process.kill()
