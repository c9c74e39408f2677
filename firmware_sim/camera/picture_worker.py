"""The process that reads one picture of a stranger: `python -m firmware_sim.camera.picture_worker`.

It takes the name of a decoder as its argument and the picture on standard input, and answers on
standard output: `+` and the payload, or `-` and why not. A process of its own for each picture,
with bounds on memory and time: whatever a file does to Pillow or to a decoder's library, it costs
that one picture.
"""

import io
import resource
import sys
from typing import BinaryIO

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import code_in
from firmware_sim.errors import UsageError

SIZE_MAX = 5_000_000  # bytes of a file
PIXELS_MAX = 20_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
READ, UNREAD = b"+", b"-"
_MEMORY_MAX = 1 << 30
_CPU_S_MAX = 8


def main(decoder: str) -> None:
    """Read one picture, within bounds."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S_MAX, _CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer, decoder)


def serve(source: BinaryIO, answers: BinaryIO, decoder: str) -> None:
    """Read a picture from `source` and write the answer."""
    answers.write(read(source.read(SIZE_MAX + 1), decoder))
    answers.flush()


def read(content: bytes, decoder: str) -> bytes:
    """Return the answer for a picture."""
    if len(content) > SIZE_MAX:
        return UNREAD + b"the picture: more than %d MB" % (SIZE_MAX // 1_000_000)
    try:
        payload = code_in(
            io.BytesIO(content),
            "the picture",
            make_decoder(decoder),
            formats=FORMATS,
            pixels_max=PIXELS_MAX,
        )
    except UsageError as error:
        return UNREAD + str(error).encode()
    except MemoryError:
        return UNREAD + b"the picture: too large a picture"
    return READ + payload


if __name__ == "__main__":
    main(sys.argv[1])
