"""What can happen on a connection to a device on the LAN, and what the device's answers mean.

A core: types, and the body of an answer in, a typed answer out. Errors are texts where everything
else is JSON or nothing at all; their spelling is the devices' own (codetheweb/tuyapi, index.js;
jasonacox/tinytuya, tinytuya/core/XenonDevice.py).
"""

from collections.abc import Callable
from enum import Enum, StrEnum, auto

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire import lan_body
from firmware_sim.wire.lan_body import ChildStatus, Status
from firmware_sim.wire.lan_frame import Command, Frame

REFUSAL_SIZE_MAX = 128

# --- answers ------------------------------------------------------------------------------------


class Acknowledged(msgspec.Struct, frozen=True, gc=False):
    """The device took a request and has nothing to say about it.

    Vendor firmware acknowledges with return code 1 as well, so the code decides nothing.
    """

    return_code: int


class Reason(StrEnum):
    """Why a device refuses a request."""

    NOTHING_TO_REPORT = "nothing_to_report"
    BAD_FORMAT = "bad_format"
    BAD_DATA = "bad_data"
    WRONG_DEVICE = "wrong_device"
    OTHER = "other"


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The device answered with an error; `text` is its own wording."""

    reason: Reason
    text: str


Answer = Status | ChildStatus | Acknowledged | Refused


# --- happenings ---------------------------------------------------------------------------------


class Send(msgspec.Struct, frozen=True, gc=False):
    """These bytes are to be sent."""

    data: bytes


class Ready(msgspec.Struct, frozen=True, gc=False):
    """Requests can be made from now on."""


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The answer to request `number`."""

    number: int
    answer: Answer


class Pushed(msgspec.Struct, frozen=True, gc=False):
    """The device reports changed data points, unasked."""

    status: Status


class Unbound(msgspec.Struct, frozen=True, gc=False):
    """The device was unbound over the LAN and will close the connection."""


class End(Enum):
    """Why a connection is over."""

    WRONG_KEY = auto()
    """What the device says cannot be read with this key and version, from the first frame on."""
    TURNED_AWAY = auto()
    """Closed before a session was agreed: wrong key or version, too many clients, not activated."""
    CLOSED = auto()
    SILENT = auto()
    GARBLED = auto()
    """Bytes that are no frames, or frames that make no sense after others did."""
    LEFT = auto()
    """Closed by ourselves."""


class Ended(msgspec.Struct, frozen=True, gc=False):
    """Nothing more comes out of this connection, and it is to be closed."""

    why: End
    detail: str = ""


Push = Pushed | Unbound
Happening = Send | Ready | Answered | Push | Ended


# --- reading ------------------------------------------------------------------------------------

_REASONS = {
    lan_body.NOTHING_TO_REPORT: Reason.NOTHING_TO_REPORT,
    lan_body.BAD_FORMAT: Reason.BAD_FORMAT,
    lan_body.BAD_DATA: Reason.BAD_DATA,
    lan_body.WRONG_DEVICE: Reason.WRONG_DEVICE,
}

# Answers with a body of their own; every other one is an acknowledgement.
_READERS: dict[int, Callable[[bytes], Status | ChildStatus]] = {
    Command.DP_QUERY: lan_body.decode_status,
    Command.DP_QUERY_NEW: lan_body.decode_status,
    Command.EXT_STREAM: lan_body.decode_child_report,
}


def read_answer(frame: Frame, body: bytes) -> Answer:
    """Return what the answer `frame` with the plain `body` says.

    Raises Malformed when it is neither of the JSON that its command has, nor an error text, nor
    empty where that is an answer.
    """
    if body and not body.startswith(b"{"):
        return Refused(_REASONS.get(body, Reason.OTHER), _text(body))
    reader = _READERS.get(frame.command)
    return reader(body) if reader else Acknowledged(frame.return_code or 0)


def _text(body: bytes) -> str:
    if len(body) > REFUSAL_SIZE_MAX or not body.isascii() or not body.decode().isprintable():
        raise Malformed("an answer is neither JSON nor an error text")
    return body.decode()
