"""Helpers of the pool's tests: run a story on a loop of its own, and look at processes."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firmware_sim.camera.messages import Look
from firmware_sim.camera.scene import LensSettings

EASY = LensSettings(
    start_mm=(150.0, 150.0), focus_blur_px=(0.0, 0.0), smear_share=0.0, tilt_deg_max=0.0
)


def text_of(camera: int) -> bytes:
    return f'{{"s":"Café {camera}","p":"correct horse","t":"EUabcdefgh1234"}}'.encode()


def easy_look(camera: int, frame: int = 0) -> Look:
    """A frame that every decoder reads."""
    return Look(camera, 1, frame, text_of(camera), EASY)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Return whether the process exists; one that only waits to be reaped does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Keep workers from answering meanwhile, so that a test decides what happens first."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGCONT)
