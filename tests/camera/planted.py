"""Workers with a decoder that hangs, dies or eats memory when it reads so; run as a program.

`python -m tests.camera.planted looks|frames FD` is the worker of a pool, or of a reader.
"""

import os
import sys
import time

from firmware_sim.camera import decoder, picture_worker, worker
from firmware_sim.camera.decoder import ZxingDecoder
from firmware_sim.camera.symbol import Luma

PROGRAM = "tests.camera.planted"
HANGS, DIES, EATS = b"hangs", b"dies", b"eats"


class Planted(ZxingDecoder):
    """Does what it reads."""

    def decode(self, luma: Luma) -> bytes | None:
        text = super().decode(luma)
        if text == HANGS:
            time.sleep(600)
        if text == DIES:
            os.abort()
        if text == EATS:
            return bytes(2 << 30)
        return text


if __name__ == "__main__":
    made = {"make_decoder": lambda _: Planted()}
    assert decoder.NAMES, "the real ones are left alone"
    for module in (worker, picture_worker):
        vars(module).update(made)
    main = {"looks": worker.main, "frames": picture_worker.main}[sys.argv[1]]
    main(sys.argv[1], int(sys.argv[2]))
