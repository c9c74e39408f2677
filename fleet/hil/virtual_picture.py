"""Reads the pictures that a script holds to the lens: in a process of its own, with bounds.

Whatever a file does to the libraries that read it, it costs that one picture and not the tests.
This is the one thing at a bench in virtual time that takes real time.
"""

import asyncio
from pathlib import Path

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.sources.files import content_of


class Pictures:
    """Reads one picture at a time. Close it at the end."""

    def __init__(self) -> None:
        """Prepare; the process is started with the first picture."""
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._reader = FrameReader()

    def code_in(self, picture: bytes | Path) -> bytes:
        """Return what is in the QR code of a picture, given as a file's bytes or its path.

        Raises UsageError for a file that cannot be read, for what is no picture, is damaged or too
        large, or has no code in it that can be read.
        """
        if isinstance(picture, bytes):
            return self._runner.run(self._reader.code_in(picture))
        return self._runner.run(self._reader.code_in(content_of(picture), str(picture)))

    def close(self) -> None:
        """End the process, if there is one."""
        self._runner.run(self._reader.close())
        self._runner.close()
