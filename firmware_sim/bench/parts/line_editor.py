"""Typing a line at a serial terminal: echo, rubbing out, giving up. Sans-IO.

What a person or a script may send is anything. Only printable ASCII becomes part of a line and
is echoed; control sequences of a terminal (arrow keys and the like) are swallowed whole, so
nobody can make this line print one.
"""

from enum import Enum, auto
from typing import NamedTuple

LINE_SIZE_MAX = 128

_CTRL_C, _CTRL_U, _ESC = 0x03, 0x15, 0x1B
_BACKSPACE = (0x08, 0x7F)
_CR, _LF = 0x0D, 0x0A
_RUB_OUT = b"\b \b"


class Typed(NamedTuple):
    """What one byte does: what is echoed, and the line if it ended one (None if not)."""

    echo: bytes = b""
    line: str | None = None


class _Escape(Enum):
    """How far a control sequence is."""

    NONE = auto()
    BEGUN = auto()
    INSIDE = auto()


class LineEditor:
    """The line being typed: at most 128 characters; what comes beyond them is not echoed."""

    __slots__ = ("_after_cr", "_escape", "_line")

    def __init__(self) -> None:
        """Begin with an empty line."""
        self.clear()

    def clear(self) -> None:
        """Forget what was typed."""
        self._line = bytearray()
        self._after_cr = False
        self._escape = _Escape.NONE

    @property
    def text(self) -> bytes:
        """Return what is typed so far."""
        return bytes(self._line)

    def take(self, byte: int) -> Typed:
        """Take one byte. A line that was given up with ^C ends as an empty one."""
        after_cr, self._after_cr = self._after_cr, byte == _CR
        if self._in_sequence(byte) or (byte == _LF and after_cr):
            return Typed()
        if byte in (_CR, _LF):
            return self._end(b"\r\n", self._line.decode("ascii"))
        if byte == _CTRL_C:
            return self._end(b"^C\r\n", "")
        if byte == _CTRL_U:
            count = len(self._line)
            self._line.clear()
            return Typed(_RUB_OUT * count)
        if byte in _BACKSPACE and self._line:
            self._line.pop()
            return Typed(_RUB_OUT)
        if 0x20 <= byte <= 0x7E and len(self._line) < LINE_SIZE_MAX:
            self._line.append(byte)
            return Typed(bytes((byte,)))
        return Typed()

    def _end(self, echo: bytes, line: str) -> Typed:
        self._line.clear()
        return Typed(echo, line)

    def _in_sequence(self, byte: int) -> bool:
        """Say whether a byte belongs to a control sequence: ESC x, or ESC [ ... up to a letter."""
        if byte in (_CR, _LF, _CTRL_C):  # what ends a line ends a sequence that never ended
            self._escape = _Escape.NONE
            return False
        if byte == _ESC:
            self._escape = _Escape.BEGUN
            return True
        if self._escape is _Escape.BEGUN:
            self._escape = _Escape.INSIDE if byte in b"[O" else _Escape.NONE
            return True
        if self._escape is _Escape.INSIDE:
            self._escape = _Escape.INSIDE if 0x20 <= byte <= 0x3F else _Escape.NONE
            return True
        return False
