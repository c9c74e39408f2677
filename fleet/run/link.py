"""A typed message stream over a socket pair: 4 bytes of length, then MessagePack.

Between the runner and one shard. Neither side may block on the other: the writer is told when the
reader does not keep up (`clogged`) and holds back; a message that is too large or does not decode
closes the link, which the owner sees like the death of the other side.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import msgspec

MESSAGE_SIZE_MAX = 64 * 1024 * 1024  # a shard's whole population, 20,000 devices, fits
In = TypeVar("In")
_HEAD = 4


class Link(asyncio.Protocol, Generic[In]):
    """One end. `on_message` gets what arrives, `on_lost` is called once at the end."""

    def __init__(
        self, kind: Any, on_message: Callable[[In], None], on_lost: Callable[[], None]
    ) -> None:
        """Decode what arrives as `kind` (a union of tagged structs)."""
        self._decoder: msgspec.msgpack.Decoder[In] = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()
        self._on_message = on_message
        self._on_lost = on_lost
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.clogged = False

    async def attach(self, end: socket.socket) -> None:
        """Take over one end of a socket pair; messages may arrive before this returns."""
        end.setblocking(False)  # noqa: FBT003 - the standard library's signature
        await asyncio.get_running_loop().create_connection(lambda: self, sock=end)

    def send(self, message: msgspec.Struct) -> None:
        """Queue one message; nothing happens when the other side is gone."""
        if self._transport is None:
            return
        body = self._encoder.encode(message)
        self._transport.write(len(body).to_bytes(_HEAD, "big") + body)

    def close(self) -> None:
        """Send what is queued and close; `on_lost` follows."""
        if self._transport is not None:
            self._transport.close()

    # --- asyncio.Protocol -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # Not asserted: uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand on every complete message."""
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _HEAD:
            size = int.from_bytes(self._buffer[at : at + _HEAD], "big")
            if size > MESSAGE_SIZE_MAX:
                self._abort()
                return
            if len(self._buffer) - at - _HEAD < size:
                break
            body = bytes(self._buffer[at + _HEAD : at + _HEAD + size])
            at += _HEAD + size
            try:
                message = self._decoder.decode(body)
            except msgspec.DecodeError:
                self._abort()
                return
            self._on_message(message)
        del self._buffer[:at]

    def pause_writing(self) -> None:
        """Note that the other side does not keep up."""
        self.clogged = True

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self.clogged = False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base's signature
        """Tell the owner, once."""
        self._transport = None
        self._on_lost()

    def _abort(self) -> None:
        self._buffer.clear()
        if self._transport is not None:
            self._transport.abort()
