"""Single keys from a terminal, and lines from anything else. Both end with the input."""

import asyncio
import codecs
import os
import termios
import threading
import tty
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress

from firmware_sim.errors import UsageError

LINE_SIZE_MAX = 65_536
_KEYS_AHEAD_MAX = 256
_CHUNKS_AHEAD_MAX = 4
_CHUNK_SIZE = 4096
_END_OF_INPUT = "\x04"  # Ctrl-D, as a terminal gives it when it does not gather lines


async def keys(descriptor: int) -> AsyncGenerator[str, None]:
    """Yield each key pressed on the terminal `descriptor`, which echoes nothing meanwhile.

    Ends with Ctrl-D; Ctrl-C interrupts as ever. Keys typed blindly far ahead are dropped.
    """
    pressed: asyncio.Queue[str] = asyncio.Queue(_KEYS_AHEAD_MAX)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = os.read(descriptor, _CHUNK_SIZE)
        for key in decoder.decode(data) if data else _END_OF_INPUT:
            with suppress(asyncio.QueueFull):
                pressed.put_nowait(key)

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSADRAIN)  # what was typed already counts
    loop.add_reader(descriptor, read)
    try:
        while (key := await pressed.get()) != _END_OF_INPUT:
            yield key
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def lines(descriptor: int) -> AsyncIterator[str]:
    """Yield each line of a file or a pipe; raises `UsageError` for one that has no end.

    Read by a daemon thread of its own: a loop cannot wait for a file, and nothing can wake a
    thread that waits for a pipe, so one of a pool's threads would hold up the end of the program.
    """
    room = threading.Semaphore(_CHUNKS_AHEAD_MAX)
    chunks: asyncio.Queue[bytes] = asyncio.Queue()  # bounded by `room`
    loop = asyncio.get_running_loop()
    reader = threading.Thread(
        target=_read_chunks,
        args=(descriptor, room, lambda chunk: loop.call_soon_threadsafe(chunks.put_nowait, chunk)),
        daemon=True,
    )
    reader.start()
    rest = b""
    while chunk := await chunks.get():
        room.release()
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
        if len(rest) > LINE_SIZE_MAX:
            raise UsageError(f"standard input: a line of more than {LINE_SIZE_MAX} bytes")
    if rest:
        yield rest.decode("utf-8", "replace")


def _read_chunks(
    descriptor: int, room: threading.Semaphore, put: Callable[[bytes], object]
) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody listens any more
        while True:
            room.acquire()
            # Not by `sys.stdin`: its lock, held by a thread at the end of the program, is fatal.
            chunk = os.read(descriptor, _CHUNK_SIZE)
            put(chunk)
            if not chunk:
                return
