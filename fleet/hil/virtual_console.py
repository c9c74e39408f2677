"""The serial console of the device on a stand in virtual time, as a terminal program sees it."""

import codecs
import re
from typing import Final

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.errors import UsageError
from fleet.hil.virtual_stand import VirtualStand

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
        found = self._stand.wait_for(lambda: self._match(wanted), timeout_s)
        if found is None:
            there = repr(self._text[-_SHOWN_MAX:]) if self._text else "nothing"
            raise NotSeen(f"{pattern!r} was not printed within {timeout_s:g} s; there is {there}")
        self._text = self._text[found.end() :]
        return found.string[: found.end()]

    def sendline(self, line: str) -> None:
        """Type a line and press Enter."""
        typed = f"{line}\n".encode(errors="replace")
        self._stand.station.uart.feed(typed, self._stand.now_ms)

    def _match(self, wanted: re.Pattern[str]) -> re.Match[str] | None:
        printed = self._decoder.decode(self._stand.station.uart.due(self._stand.now_ms))
        self._text = (self._text + printed)[-TEXT_MAX:]
        return wanted.search(self._text)
