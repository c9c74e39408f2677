"""The process that unpacks video: `python -m firmware_sim.camera.sources.video_worker KIND NAME FD`.

KIND is `file`, `camera` (V4L2) or `screen` (X11). It says hello on the stream socket FD, or why not,
then sends frames in grey as they come, and at last how it ended. A video is the work of strangers as
much as a picture is: only containers that hold video themselves are opened, no playlist that names
other files or addresses, and a frame of more pixels than any camera takes ends it.

PyAV (PyAV-Org/PyAV) brings FFmpeg's libraries along. Options: FFmpeg documentation, "Formats"
(`format_whitelist`, `protocol_whitelist`), "Codecs" (`max_pixels`), "Devices" (`v4l2`, `x11grab`).
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from firmware_sim.camera.messages import Hello, frame_message
from firmware_sim.camera.process import settle
from firmware_sim.camera.sources.video_messages import Ended, Picture
from firmware_sim.errors import UsageError

PIXELS_MAX = 36_000_000  # 8K, with some room
MEMORY_MAX = 2 << 30
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mjpeg,h264,hevc"
_FORMATS = {"camera": "v4l2", "screen": "x11grab"}
_OF_FILES = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
_OF_DEVICES = {"camera": dict[str, str](), "screen": {"framerate": "10", "draw_mouse": "0"}}


def main(kind: str, name: str, descriptor: int) -> None:
    """Serve the owner at the other end of the stream socket `descriptor`, within bounds."""
    settle(MEMORY_MAX)
    with socket.socket(fileno=descriptor) as stream:
        try:
            serve(stream, kind, name)
        except (BrokenPipeError, ConnectionResetError):
            return


def serve(stream: socket.socket, kind: str, name: str) -> None:
    """Open the video, say hello, then send what it shows until it ends."""
    try:
        av = import_av()
        with _opened(av, kind, name) as container:
            stream.sendall(frame_message(Hello()))
            stream.sendall(frame_message(Ended(_send_all(av, container, stream))))
    except UsageError as error:
        stream.sendall(frame_message(Hello(str(error))))


def import_av() -> Any:
    """Return PyAV. Raises UsageError saying what to install."""
    try:
        import av
    except ImportError:
        raise UsageError(
            "PyAV is not installed, which videos, cameras and the screen need: pip install "
            "'firmware-sim[video]' (or pip install av)"
        ) from None
    av.logging.set_level(None)
    return av


def _send_all(av: Any, container: Any, stream: socket.socket) -> str:
    """Send frame after frame; return why the last one is not the end of the video, "" if it is."""
    try:
        for picture in _pictures(container):
            stream.sendall(frame_message(picture))
    except MemoryError:
        return "its frames take more memory than they may"
    except av.FFmpegError as error:
        return f"the video is damaged: {_said(error)}"
    except UsageError as error:
        return str(error)
    return ""


@contextmanager
def _opened(av: Any, kind: str, name: str) -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            if kind == "file":
                # As a file that is open: a name could be a list of names, or an address.
                file = stack.enter_context(Path(name).open("rb"))
                container = av.open(file, options=_OF_FILES)
            else:
                container = av.open(name, format=_FORMATS[kind], options=_OF_DEVICES[kind])
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UsageError(f"{name}: {_HOPES[kind]} ({_said(error)})") from None
        stack.enter_context(container)
        if not container.streams.video:
            raise UsageError(f"{name}: there is no picture in it, only sound or text")
        yield container


_HOPES = {
    "file": "neither a picture nor a video that can be read",
    "camera": "no camera that can be opened",
    "screen": "no screen that can be seen",
}


def _pictures(container: Any) -> Iterator[Picture]:
    """Yield frames in grey. Raises UsageError for one that is too large."""
    stream = container.streams.video[0]
    # Threads would each keep frames of their own.
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(PIXELS_MAX)}
    first_s: float | None = None
    for number, frame in enumerate(container.decode(stream)):
        if frame.width * frame.height > PIXELS_MAX:
            raise UsageError(f"a frame of {frame.width} x {frame.height} pixels is too large")
        luma = frame.to_ndarray(format="gray")
        taken_s = float(frame.time) if frame.time is not None else 0.0
        first_s = taken_s if first_s is None else first_s
        yield Picture(taken_s - first_s, number, luma.shape[1], luma.shape[0], luma.tobytes())


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).partition("\n")[0]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
