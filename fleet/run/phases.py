"""From the states of one device to the durations of its phases.

| phase    | from                                     | to                                        |
| -------- | ---------------------------------------- | ----------------------------------------- |
| boot     | supply on, or restart after a reset      | the firmware runs                         |
| reset    | finger on the button                     | flash erased                              |
| scan     | a code comes into view of the lens       | the code is read                          |
| join     | the code is read                         | on the network                            |
| activate | on the network (wired: token taken)      | credentials of the cloud are kept         |
| unbind   | the token is taken                       | light "unbound": released, erased, booted |
| rebind   | the token is taken                       | session with the cloud for the new owner  |

A phase that power loss or a failure ends is not counted.
"""

from collections.abc import Callable

from fleet.run.messages import Seen
from fleet.run.tally import QR, WIRED

PHASES = ("boot", "reset", "scan", "join", "activate", "unbind", "rebind")
UNBIND = "unbind"
REBIND = "rebind"

_PAIRING = ("JOINING", "ACTIVATING")
_END_OF_PAIRING = ("OFF", "FAILED")


def method_of(*, wired: bool) -> str:
    """Return how devices of a model get their token: by `qr` or `wired`."""
    return WIRED if wired else QR


class PhaseClock:
    """One device's clock; `record(phase, duration_ms)` gets each finished phase."""

    __slots__ = ("_entered_ms", "_lifecycle", "_pressed_ms", "_record", "_shown_ms", "_taken_ms",
                 "purpose")  # fmt: skip

    def __init__(self, record: Callable[[str, int], None]) -> None:
        """Start with an unpowered device."""
        self._record = record
        self._lifecycle = "OFF"
        self._entered_ms = 0
        self._shown_ms = 0
        self._pressed_ms = 0
        self._taken_ms = 0
        self.purpose = ""

    def pressed(self, now_ms: int) -> None:
        """The finger went down on the reset button."""
        self._pressed_ms = now_ms

    def shown(self, now_ms: int) -> None:
        """A code came into view (0: it went away)."""
        self._shown_ms = now_ms

    def saw(self, seen: Seen) -> None:
        """Take the next state of the device."""
        if seen.lifecycle != self._lifecycle:
            self._moved(self._lifecycle, seen)
            self._lifecycle = seen.lifecycle
            self._entered_ms = seen.at_ms
        if self._taken_ms:
            self._judge(seen)

    def _moved(self, before: str, seen: Seen) -> None:
        """The lifecycle changed: count what ended with that."""
        spent_ms = seen.at_ms - self._entered_ms
        after = seen.lifecycle
        if after in _END_OF_PAIRING:
            self._taken_ms = self._pressed_ms = 0
        elif before == "BOOTING":
            self._record("boot", spent_ms)
        elif before == "WAITING" and after in _PAIRING:
            self._taken_ms = seen.at_ms
            if after == "JOINING" and self._shown_ms:
                self._record("scan", seen.at_ms - max(self._shown_ms, self._entered_ms))
                self._shown_ms = 0
        elif before == "JOINING" and after == "ACTIVATING":
            self._record("join", spent_ms)
        elif before == "ACTIVATING" and after == "ONLINE":
            self._record("activate", spent_ms)
        elif before == "RESETTING" and self._pressed_ms:
            self._record("reset", seen.at_ms - self._pressed_ms)
            self._pressed_ms = 0

    def _judge(self, seen: Seen) -> None:
        """Say whether the pairing under way has come to its purpose."""
        unbound = seen.operator == "unbound" and self.purpose == UNBIND
        rebound = seen.light == "online" and self.purpose == REBIND
        if unbound or rebound:
            self._record(self.purpose, seen.at_ms - self._taken_ms)
            self._taken_ms = 0
