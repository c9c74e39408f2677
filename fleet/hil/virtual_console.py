"""The serial console of the device on a stand in virtual time, as a terminal program sees it."""

import codecs
import re
from typing import Final

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.errors import UsageError
from fleet.hil.virtual_stand import VirtualStand

PIECE_S: Final = 0.05  # what happens meanwhile is printed at the latest so much later
TEXT_MAX: Final = 200_000  # characters that nobody has asked for
_SHOWN_MAX = 400


class Console:
    """A terminal at the line. What was printed since the last match is kept."""

    def __init__(self, stand: VirtualStand) -> None:
        """Listen from the start."""
        self._stand = stand
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    def expect(self, pattern: str, timeout_s: float = 10.0) -> str:
        """Return the text up to the end of the first match. Raises NotSeen, with what was there.

        A dot of the pattern matches line ends as well. UsageError for what is no pattern.
        """
        try:
            wanted = re.compile(pattern, re.DOTALL)
        except re.error as error:
            raise UsageError(f"{pattern!r} is no regular expression: {error}") from None
        end_s = self._stand.now_s + timeout_s
        while True:
            self._take_in()
            found = wanted.search(self._text)
            if found is not None:
                self._text = self._text[found.end() :]
                return found.string[: found.end()]
            left_s = end_s - self._stand.now_s
            if left_s <= 0:
                there = repr(self._text[-_SHOWN_MAX:]) if self._text else "nothing"
                raise NotSeen(
                    f"{pattern!r} was not printed within {timeout_s:g} s; there is {there}"
                )
            self._stand.pass_s(min(left_s, PIECE_S))

    def sendline(self, line: str) -> None:
        """Type a line and press Enter."""
        typed = f"{line}\n".encode(errors="replace")
        self._stand.station.uart.feed(typed, self._stand.now_ms)

    def _take_in(self) -> None:
        printed = self._decoder.decode(self._stand.station.uart.due(self._stand.now_ms))
        self._text = (self._text + printed)[-TEXT_MAX:]
