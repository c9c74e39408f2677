"""A QR code in a picture file -> the bytes inside it, so that it can be shown to a lens."""

import asyncio
from pathlib import Path

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.scene import check_payload
from firmware_sim.camera.sources.files import content_of
from firmware_sim.errors import UsageError


async def read_code(path: Path, decoder: str) -> bytes:
    """Return the payload of the QR code in picture `path`.

    Raises `UsageError` when the file is no picture, no code can be read in it, or the code holds
    more than the phone before a lens can draw.
    """
    content = await asyncio.to_thread(content_of, path)
    async with FrameReader(decoder) as reader:
        payload = await reader.code_in(content, str(path))
    try:
        check_payload(payload)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return payload
