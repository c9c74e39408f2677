"""Makes small videos for tests, with PyAV."""

from pathlib import Path

import av
import numpy as np

from firmware_sim.camera.symbol import Luma, flat_picture
from tests.camera.pictures import PAYLOAD

WIDTH_PX, HEIGHT_PX, PER_S = 320, 240, 10


def frame_with(payload: bytes | None) -> Luma:
    """Return a grey frame, with a code in it if there is a payload."""
    frame = np.full((HEIGHT_PX, WIDTH_PX), 120, np.uint8)
    if payload is not None:
        code = flat_picture(payload)
        frame[10 : 10 + len(code), 20 : 20 + len(code)] = code
    return frame


def make_video(path: Path, frames: list[Luma], codec: str = "mpeg4") -> Path:
    """Write frames as a video of 10 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=PER_S)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = WIDTH_PX, HEIGHT_PX
        stream.pix_fmt = "yuv420p"
        for luma in frames:
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def some_frames() -> list[Luma]:
    """Return three frames without a code, then three with one."""
    return [frame_with(None)] * 3 + [frame_with(PAYLOAD)] * 3
