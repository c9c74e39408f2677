"""The process that decodes frames for a pool: `python -m firmware_sim.camera.worker NAME FD`.

A process, because libzbar can abort one (mchehab/zbar issue 315) and because decoding would stop
an event loop for milliseconds. It holds nothing worth saving: the pool may kill it at any time,
and it ends by itself when the pool's end of the socket is closed, however its owner died.
"""

import socket
import sys
import time

from firmware_sim.camera.decoder import Decoder, make_decoder, self_test
from firmware_sim.camera.lens import see
from firmware_sim.camera.messages import (
    Hello,
    Look,
    Report,
    Unframer,
    decode_looks,
    frame_message,
)
from firmware_sim.camera.process import settle
from firmware_sim.errors import UsageError

_READ_SIZE = 1 << 16


def main(decoder_name: str, descriptor: int) -> None:
    """Serve the pool at the other end of the stream socket `descriptor`."""
    settle()
    with socket.socket(fileno=descriptor) as stream:
        try:
            serve(stream, decoder_name)
        except (BrokenPipeError, ConnectionResetError):
            return


def serve(stream: socket.socket, decoder_name: str) -> None:
    """Make and test the decoder, say hello, then answer each list of looks until the stream ends."""
    try:
        decoder = make_decoder(decoder_name)
        self_test(decoder)
    except UsageError as error:
        stream.sendall(frame_message(Hello(str(error))))
        return
    stream.sendall(frame_message(Hello()))
    unframer = Unframer()
    while data := stream.recv(_READ_SIZE):
        for body in unframer.feed(data):
            stream.sendall(frame_message(_answer(decoder, decode_looks(body))))


def _answer(decoder: Decoder, looks: list[Look]) -> Report:
    before_ns = time.process_time_ns()
    sights = [see(decoder, look) for look in looks]
    return Report(sights, time.process_time_ns() - before_ns)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
