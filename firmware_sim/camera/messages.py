"""What a caller, the pool and its workers say to each other, and how it is framed.

A worker needs nothing but a `Look`: the frame is computed from it. A `Sight` names the camera
and the frame it belongs to, so no result can reach another camera by position or by luck.
Payloads and texts carry Wi-Fi passwords and tokens: no `repr` shows them.

On the socket between pool and worker each message is a 4-byte big-endian length and that many
bytes of MessagePack: lists of `Look` one way, `Hello` and then `Report` the other way.
"""

import msgspec

from firmware_sim.camera.scene import LensSettings, check_payload
from firmware_sim.errors import TooLarge

MESSAGE_SIZE_MAX = 1 << 18
_LENGTH_SIZE = 4


class Look(msgspec.Struct, frozen=True, array_like=True):
    """One frame to be taken and decoded.

    `camera` is whatever integer the caller knows the camera by; `seed` fixes its scene; `frame`
    counts from 0 when the phone came into view; `payload` is what the phone shows, None when
    there is no phone. Raises UsageError for a payload that no QR symbol holds.
    """

    camera: int
    seed: int
    frame: int
    payload: bytes | None
    settings: LensSettings = LensSettings()

    def __post_init__(self) -> None:
        """Refuse now what a worker could not draw."""
        if self.payload is not None:
            check_payload(self.payload)

    def __repr__(self) -> str:
        """Show which frame it is, not what it shows."""
        return f"Look(camera={self.camera}, frame={self.frame})"


class Sight(msgspec.Struct, frozen=True, array_like=True):
    """What a decoder made of one camera's frame: the raw bytes of a QR code, or None."""

    camera: int
    frame: int
    text: bytes | None

    def __repr__(self) -> str:
        """Show whether the frame was read, not what was read."""
        return f"Sight(camera={self.camera}, frame={self.frame}, read={self.text is not None})"


class Hello(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A worker's first message: it is ready, or `problem` says why it never will be."""

    problem: str = ""


class Report(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A worker's answer to one list of looks, in its order, and the processor time it took."""

    sights: list[Sight]
    cpu_ns: int


_encoder = msgspec.msgpack.Encoder()
decode_looks = msgspec.msgpack.Decoder(list[Look]).decode
decode_answer = msgspec.msgpack.Decoder(Hello | Report).decode


def frame_message(message: list[Look] | msgspec.Struct) -> bytes:
    """Return the message as it goes on the socket."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH_SIZE, "big") + body


class Unframer:
    """Cuts a byte stream back into message bodies; holds at most one unfinished message."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        """Start at a message boundary."""
        self._pending = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes cut anywhere; return the bodies they complete. Raises TooLarge."""
        data = self._pending + data
        bodies = []
        at = 0
        while len(data) - at >= _LENGTH_SIZE:
            start = at + _LENGTH_SIZE
            size = int.from_bytes(data[at:start], "big")
            if size > MESSAGE_SIZE_MAX:
                raise TooLarge(f"message of {size} bytes, at most {MESSAGE_SIZE_MAX}")
            if len(data) - start < size:
                break
            bodies.append(data[start : start + size])
            at = start + size
        self._pending = data[at:]
        return bodies
