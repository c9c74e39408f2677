"""What each device has been through lately, for whoever opens its life line on a page.

Memory does not grow with time. States are in a ring of rows for each device, ten bytes a row; what a
row says in words is one of few combinations and kept once for all devices. Notes are rare and in one
ring for all of them.
"""

from array import array
from collections import deque

import msgspec

from fleet.run.messages import Heard, Seen

ROWS_MAX = 64  # the last states of each device
NOTES_MAX = 20_000  # of all devices together
KINDS_MAX = 4096  # combinations of words; those of the tables are some hundreds
_UNNAMED = ("", "", "", "", "")


class Step(msgspec.Struct, frozen=True):
    """One state that a device has entered, `at_ms` since the Unix epoch; texts as in `Seen`."""

    at_ms: int
    lifecycle: str
    session: str
    light: str
    operator: str
    cause: str


class Note(msgspec.Struct, frozen=True):
    """Something that no state shows, as the device tells it."""

    at_ms: int
    kind: str
    detail: str


class LifeLines:
    """The last `ROWS_MAX` states of every device, and the last notes of all."""

    def __init__(self, count: int) -> None:
        """Begin without memories of `count` devices; there may be more later."""
        self._kinds: dict[tuple[str, ...], int] = {_UNNAMED: 0}
        self._names: list[tuple[str, str, str, str, str]] = [_UNNAMED]
        self._written = array("L")
        self._at_ms = array("q")
        self._kind = array("H")
        self._notes: deque[Heard] = deque(maxlen=NOTES_MAX)
        self._room_for(count)

    def saw(self, _before: Seen, after: Seen) -> None:
        """Write down the next state of a device."""
        if after.index >= len(self._written):
            self._room_for(after.index + 1)
        place = after.index * ROWS_MAX + self._written[after.index] % ROWS_MAX
        self._at_ms[place] = after.at_ms
        self._kind[place] = self._kind_of(after)
        self._written[after.index] += 1

    def heard(self, note: Heard) -> None:
        """Write down what a device says of itself."""
        self._notes.append(note)

    def notes(self, index: int) -> list[Note]:
        """Return what is remembered of what a device has said, oldest first."""
        return [
            Note(note.at_ms, note.kind, note.detail) for note in self._notes if note.index == index
        ]

    def of(self, index: int) -> list[Step]:
        """Return what is remembered of a device, oldest first."""
        if index >= len(self._written):
            return []
        written = self._written[index]
        places = (
            index * ROWS_MAX + n % ROWS_MAX for n in range(written - self._kept(index), written)
        )
        return [Step(self._at_ms[place], *self._names[self._kind[place]]) for place in places]

    def forgotten(self, index: int) -> int:
        """Return how many older states of a device are remembered no more."""
        return self._written[index] - self._kept(index) if index < len(self._written) else 0

    def _kept(self, index: int) -> int:
        return min(self._written[index], ROWS_MAX)

    def _room_for(self, count: int) -> None:
        more = count - len(self._written)
        self._written.extend([0] * more)
        self._at_ms.frombytes(bytes(8 * ROWS_MAX * more))
        self._kind.frombytes(bytes(2 * ROWS_MAX * more))

    def _kind_of(self, seen: Seen) -> int:
        words = (seen.lifecycle, seen.session, seen.light, seen.operator, seen.cause)
        kind = self._kinds.get(words)
        if kind is None:
            if len(self._names) == KINDS_MAX:
                return 0
            kind = self._kinds[words] = len(self._names)
            self._names.append(words)
        return kind
