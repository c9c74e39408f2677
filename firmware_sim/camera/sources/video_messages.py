"""What the process that unpacks video says to its owner, after `Hello` (see `messages`).

Framed as everything between an owner and its workers: a 4-byte big-endian length, and that many
bytes of MessagePack.
"""

import msgspec

from firmware_sim.camera.messages import Hello


class Picture(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One frame: seconds since the first one, its number from 0, and its rows in grey."""

    time_s: float
    number: int
    width_px: int
    height_px: int
    rows: bytes


class Ended(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """There are no more frames; `problem` says why, "" at the end of a video."""

    problem: str = ""


decode_message = msgspec.msgpack.Decoder(Hello | Picture | Ended).decode
