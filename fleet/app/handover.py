"""Handing a token to one wired device: frames to send, and what its answers mean.

A core: the driver in `lan_client` owns the connection and the clock. As the vendor's app does:
command 0x0C is sent again every few seconds, and any 0x0C answer ends it. An activated device
refuses with return code 1.
"""

from enum import StrEnum

import msgspec

from firmware_sim.wire.lan_frame import Command, FrameDecoder
from firmware_sim.wire.provisioning import encode_token_bind

ANSWER_SIZE_MAX = 4096


class Outcome(StrEnum):
    """How the attempt to hand over a token ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    BAD_ANSWER = "bad_answer"


class Delivery(msgspec.Struct, frozen=True):
    """What became of one token at one address; `attempts` is how often it was sent."""

    ip: str
    outcome: Outcome
    attempts: int
    detail: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the device took the token and will activate with it."""
        return self.outcome is Outcome.ACCEPTED


class Handover:
    """One token on its way to one device."""

    def __init__(self, token_text: str, *, encrypted: bool) -> None:
        """Prepare frames with the 14-character token, under the LAN's common key or plain."""
        self._token_text = token_text
        self._encrypted = encrypted
        self._decoder = FrameDecoder(from_device=True, size_max=ANSWER_SIZE_MAX)
        self.attempts = 0

    def next_frame(self) -> bytes:
        """Return the bytes of the next attempt; each has a sequence number of its own."""
        self.attempts += 1
        return encode_token_bind(self._token_text, self.attempts, encrypted=self._encrypted)

    def connection_opened(self) -> None:
        """Forget what an earlier connection left half received."""
        self._decoder = FrameDecoder(from_device=True, size_max=ANSWER_SIZE_MAX)

    def receive(self, data: bytes) -> int | None:
        """Take bytes cut anywhere; return the return code of the answer once it is there.

        Frames of other commands are passed over: a device may push what it likes. Raises
        `PeerError` when the bytes are not frames.
        """
        for frame in self._decoder.feed(data):
            if frame.command == Command.TOKEN_BIND:
                return frame.return_code or 0
        return None
