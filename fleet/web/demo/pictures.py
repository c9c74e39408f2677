"""Pictures of phones that people bring: each is read in a process of its own."""

import asyncio
import os
import sys
from pathlib import Path

import firmware_sim
from firmware_sim.camera.picture_worker import READ, SIZE_MAX
from firmware_sim.errors import UsageError

AT_ONCE_MAX = 2
WAITING_MAX = 16
TIMEOUT_S = 15.0
BODY_MAX = SIZE_MAX
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class PictureReader:
    """Reads pictures with a decoder, a few at a time."""

    def __init__(self, decoder: str) -> None:
        """Take the name of a decoder."""
        self._decoder = decoder
        self._gate = asyncio.Semaphore(AT_ONCE_MAX)
        self._waiting = 0

    async def read(self, content: bytes) -> bytes:
        """Return the payload of the code in a picture. Raises UsageError when there is none."""
        if self._waiting >= WAITING_MAX:
            raise UsageError("too many pictures at once: try again")
        self._waiting += 1
        try:
            async with self._gate:
                return await self._read(content)
        finally:
            self._waiting -= 1

    async def _read(self, content: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "firmware_sim.camera.picture_worker", self._decoder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the server, which ends it
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer, _ = await process.communicate(content)
        except TimeoutError:
            raise UsageError("the picture: it takes too long to read") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode or not answer:
            raise UsageError("the picture: it cannot be read")
        if not answer.startswith(READ):
            raise UsageError(answer[1:].decode(errors="replace"))
        return answer[len(READ) :]


def _environment() -> dict[str, str]:
    root = str(Path(firmware_sim.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # no secrets among them
    return {**kept, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
