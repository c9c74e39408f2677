"""Frames of a video file, a camera or the screen, unpacked by a process of their own.

That process may use so much memory and no more, and is ended when no frame comes for long, or when
nobody wants another one.
"""

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import suppress

import msgspec

from firmware_sim.camera.messages import Hello
from firmware_sim.camera.patience import Patience
from firmware_sim.camera.process import spawn
from firmware_sim.camera.shots import Shot, one_line
from firmware_sim.camera.sources.video_messages import Ended, Picture, decode_message
from firmware_sim.errors import UsageError

PROGRAM = "firmware_sim.camera.sources.video_worker"
LIMIT_S = 30.0  # for the start, and for each frame
_MESSAGE_SIZE_MAX = 40_000_000
_LENGTH_SIZE = 4
_OF_SCREENS = ("DISPLAY", "XAUTHORITY")  # variables that say where it is, and that we may see it


async def video(kind: str, name: str, limit_s: float = LIMIT_S) -> AsyncGenerator[Shot, None]:
    """Yield frames of `kind` file, camera or screen. Raises UsageError when there are none.

    Close it (`aclosing`) when you leave before its end. A video that ends before it should has a
    last shot without a frame that says why.
    """
    process, ours = spawn(PROGRAM, kind, name, keep=_OF_SCREENS)
    messages, sending = await asyncio.open_unix_connection(sock=ours)
    patience = Patience(limit_s, process.kill)
    number = 0
    try:
        patience.expect()
        hello = await _next(messages)
        if not isinstance(hello, Hello) or hello.problem:
            said = hello.problem if isinstance(hello, Hello) else f"{name}: {_died(limit_s)}"
            raise UsageError(one_line(said))
        while True:
            patience.expect()
            said_next = await _next(messages)
            patience.rest()
            if not isinstance(said_next, Picture):
                break
            number = said_next.number
            yield _shot(said_next, name)
        problem = said_next.problem if isinstance(said_next, Ended) else _died(limit_s)
        if problem:
            yield Shot(0.0, number + 1, name, b"", one_line(f"{name}: {problem}"))
    finally:
        patience.end()
        await _close(process, sending)


def _died(limit_s: float) -> str:
    return f"what unpacks it has died, or showed nothing for {limit_s:g} s"


async def _next(messages: asyncio.StreamReader) -> Hello | Picture | Ended | None:
    try:
        size = int.from_bytes(await messages.readexactly(_LENGTH_SIZE), "big")
        if size > _MESSAGE_SIZE_MAX:
            return None
        message: Hello | Picture | Ended = decode_message(await messages.readexactly(size))
    except (asyncio.IncompleteReadError, OSError, msgspec.DecodeError):
        return None
    return message


def _shot(picture: Picture, name: str) -> Shot:
    import numpy as np

    luma = np.frombuffer(picture.rows, np.uint8).reshape(picture.height_px, picture.width_px)
    return Shot(picture.time_s, picture.number, name, luma)


async def _close(process: subprocess.Popen[bytes], sending: asyncio.StreamWriter) -> None:
    process.kill()
    process.wait()
    sending.close()
    with suppress(OSError):
        await sending.wait_closed()
