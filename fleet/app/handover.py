"""Handing a token to one wired device: frames to send, and what its answers mean.

A core: the driver in `lan_client` owns the connection and the clock. As the vendor's app does:
command 0x0C is sent again every few seconds, and any 0x0C answer ends it. An activated device
refuses with return code 1.

How the token is wrapped depends on the announced LAN version: plain below 3.3, from 3.3 on
encrypted under a key that every app knows (public reading of the vendor's SDK:
BookCatKid/pypopur). What the app does towards 3.4 and 3.5 is not published, so that is a setting.
"""

from enum import StrEnum

import msgspec

from firmware_sim.wire.lan_frame import SIZE_MAX, Command, FrameCutter
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import (
    TokenForm,
    decode_token_bind_reply,
    encode_token_bind,
)

ANSWER_SIZE_MAX = SIZE_MAX


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


def form_for(version: str, newer: TokenForm = TokenForm.ECB) -> TokenForm:
    """Return how a device that announces LAN `version` wants its token; `newer` is for 3.4 and 3.5.

    Versions order as text, so one that nobody has heard of yet counts as newer.
    """
    if version < LanVersion.V33:
        return TokenForm.PLAIN
    return TokenForm.ECB if version == LanVersion.V33 else newer


class Handover:
    """One token on its way to one device."""

    def __init__(self, token_text: str, form: TokenForm = TokenForm.ECB) -> None:
        """Prepare frames with the 14-character token, wrapped as `form` says."""
        self._token_text = token_text
        self._form = form
        self._cutter = FrameCutter(ANSWER_SIZE_MAX)
        self.attempts = 0

    def next_frame(self, nonce: bytes) -> bytes:
        """Return the bytes of the next attempt; each has a sequence number of its own.

        `nonce` is 12 random bytes, which the forms with GCM need and the others pass over. Raises
        `UsageError` when the text is not a token.
        """
        self.attempts += 1
        return encode_token_bind(self._token_text, self.attempts, self._form, nonce)

    def connection_opened(self) -> None:
        """Forget what an earlier connection left half received."""
        self._cutter = FrameCutter(ANSWER_SIZE_MAX)

    def receive(self, data: bytes) -> int | None:
        """Take bytes cut anywhere; return the return code of the answer once it is there.

        Frames of other commands are passed over: a device may push what it likes. Raises
        `PeerError` when the bytes are not frames, or the answer is not in the form of the question.
        """
        for raw in self._cutter.feed(data):
            if raw.command == Command.TOKEN_BIND:
                return decode_token_bind_reply(raw, self._form)
        return None
