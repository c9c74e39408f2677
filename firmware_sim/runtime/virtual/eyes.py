"""The lenses of a virtual world: who looks at what, and when a code is read.

A camera whose firmware wants codes, with a phone in view, reads the code in the frame that its
`Sight` says: by default a model that was fitted to the real lens (`firmware_sim.camera.
readability`), or the real lens itself. No frame in between changes anything, so none is planned.
"""

from typing import Protocol

from firmware_sim import events as ev
from firmware_sim.rng import derive
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.place import Place


class Sight(Protocol):
    """What a lens makes of a phone before it."""

    frame_ms: float

    def first_read(self, seed: int, payload: bytes) -> int | None:
        """Return the frame, from 0, in which a camera reads the code; None: never."""
        ...


class Eyes:
    """All cameras of a world."""

    __slots__ = ("_agenda", "_looking", "_seed", "_shown", "_sight", "_turns")

    def __init__(self, agenda: Agenda, sight: Sight, seed: int) -> None:
        """Start with nothing in view; `seed` fixes every camera's scenes."""
        self._agenda = agenda
        self._sight = sight
        self._seed = seed
        self._looking: dict[int, Place] = {}
        self._shown: dict[int, bytes] = {}
        self._turns: dict[int, int] = {}  # how often each began to look at a phone

    def open_lens(self, place: Place) -> None:
        """The firmware of a camera wants codes."""
        self._looking[place.index] = place
        self._look(place.index)

    def close_lens(self, index: int) -> None:
        """The firmware wants no more codes."""
        self._looking.pop(index, None)

    def show(self, index: int, payload: bytes | None) -> None:
        """A phone with this code comes into view, or the phone goes away (None)."""
        if payload is None:
            self._shown.pop(index, None)
        else:
            self._shown[index] = payload
            self._look(index)

    def _look(self, index: int) -> None:
        payload = self._shown.get(index)
        if payload is None or index not in self._looking:
            return
        turn = self._turns[index] = self._turns.get(index, 0) + 1
        seed = derive(self._seed, index, turn)
        frame = self._sight.first_read(seed, payload)
        if frame is not None:
            phase = seed % 1000 / 1000  # cameras do not expose in step
            delay_ms = round(self._sight.frame_ms * (frame + phase))
            self._agenda.after(delay_ms, self._read, index, turn, payload)

    def _read(self, index: int, turn: int, payload: bytes) -> None:
        """Tell the camera what it reads, unless it or the phone turned away meanwhile.

        A code that stays in view is read again and again by firmware that goes on looking.
        """
        place = self._looking.get(index)
        if place is None or self._turns[index] != turn or self._shown.get(index) != payload:
            return
        self._agenda.after(round(self._sight.frame_ms), self._read, index, turn, payload)
        place.tell(ev.FrameDecoded(payload))
