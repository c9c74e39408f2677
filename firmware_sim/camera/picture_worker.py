"""The process that reads pictures of strangers: `python -m firmware_sim.camera.picture_worker NAME FD`.

It makes decoder NAME, says hello, and answers each frame that comes on the stream socket FD, until
that ends. Its owner, a `FrameReader`, kills it when one takes too long.
"""

import socket
import sys
from typing import BinaryIO

import msgspec

from firmware_sim.camera.decoder import make_decoder, self_test
from firmware_sim.camera.messages import Hello, frame_message
from firmware_sim.camera.picture import read
from firmware_sim.camera.process import settle
from firmware_sim.camera.shots import Frame, Task
from firmware_sim.camera.strategy import Strategy
from firmware_sim.errors import UsageError

_LENGTH_SIZE = 4
_decode_task = msgspec.msgpack.Decoder(Task).decode


def main(decoder_name: str, descriptor: int) -> None:
    """Serve the owner at the other end of the stream socket `descriptor`, within bounds."""
    settle()
    with socket.socket(fileno=descriptor) as stream:
        try:
            serve(stream, decoder_name)
        except (BrokenPipeError, ConnectionResetError):
            return


def serve(stream: socket.socket, decoder_name: str) -> None:
    """Make and test the decoder, say hello, then answer each task until the stream ends."""
    try:
        decoder = make_decoder(decoder_name)
        self_test(decoder)
        strategy = Strategy(decoder)
    except UsageError as error:
        stream.sendall(frame_message(Hello(str(error))))
        return
    stream.sendall(frame_message(Hello()))
    with stream.makefile("rb") as source:
        while (task := _next(source)) is not None:
            result = read(_frame_of(task), strategy, task.number)
            stream.sendall(frame_message(result))


def _next(source: BinaryIO) -> Task | None:
    head = source.read(_LENGTH_SIZE)
    return _decode_task(source.read(int.from_bytes(head, "big"))) if head else None


def _frame_of(task: Task) -> Frame:
    if not task.width_px:
        return task.content
    import numpy as np

    return np.frombuffer(task.content, np.uint8).reshape(task.height_px, task.width_px)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
