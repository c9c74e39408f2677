"""The pool's end of one worker: its process, its socket, and the frames it was given.

Workers are started as programs of their own rather than by `multiprocessing`: they import
nothing but the lens, may belong to a daemonic process, and leave no resource tracker behind.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

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

    def __init__(self, decoder_name: str, heard: Heard, ended: Ended) -> None:
        """Start the process; raises OSError. `heard` gets each of its messages, `ended` its end."""
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self.process = _spawn(decoder_name, theirs.fileno())
            except OSError:
                self._socket.close()
                raise
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
        await loop.create_unix_connection(lambda: self, sock=self._socket)

    def give(self, jobs: list[Job]) -> None:
        """Send frames to the worker, in one message."""
        assert self._transport is not None
        self.jobs.update((job.look.camera, job) for job in jobs)
        self._transport.write(frame_message([job.look for job in jobs]))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (a cast, because uvloop's do not derive from asyncio's)."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on the messages that `data` completes."""
        for body in self._unframer.feed(data):
            self._heard(self, decode_answer(body))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Make sure that the process is gone, and say so."""
        self.process.kill()
        self.process.wait()
        self.gone.set_result(None)
        self._ended(self)


def _spawn(decoder_name: str, descriptor: int) -> subprocess.Popen[bytes]:
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
