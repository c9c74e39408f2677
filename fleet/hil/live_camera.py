"""A real camera, a video, a folder of pictures or a screen in place of the lens of simulated devices."""

from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.sources.choose import frames_of


async def watch(source: str, reader: FrameReader, tell: Callable[[bytes], None]) -> None:
    """Tell the code in each frame in which one can be read, until the source ends.

    Pictures that come into a folder later are looked at as well. Raises UsageError when the source
    or the decoder cannot be used.
    """
    async with aclosing(frames_of(source, follow=Path(source).is_dir())) as shots:
        async for shot in shots:
            if shot.problem:
                continue
            number = None if isinstance(shot.frame, bytes) else shot.number
            result = await reader.read(shot.frame, number)
            if result.text is not None:
                tell(result.text)
