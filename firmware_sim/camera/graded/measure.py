"""What a decoder makes of pictures, counted: read, wrong, lost, and what it cost."""

import time
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

import msgspec

from firmware_sim.camera.decoder import Decoder, make_decoder
from firmware_sim.camera.graded.picture import Sample, frame
from firmware_sim.camera.graded.table import Level
from firmware_sim.camera.strategy import Strategy


class Way(NamedTuple):
    """A decoder by name, asked once per picture, or with its strategy."""

    decoder: str
    strategy: bool


class Verdict(Enum):
    """How one look at one picture ended."""

    READ = "read"
    UNREAD = "unread"
    WRONG = "wrong"
    """A text that no code in the picture says."""
    LOST = "lost"
    """The process that looked has died, or took too long and was ended."""


class Seen(NamedTuple):
    """One look at one picture; the time is processor time of the decoder alone."""

    verdict: Verdict
    cpu_ns: int


class Tally(msgspec.Struct):
    """Looks of one way at pictures of one level, or of several."""

    frames: int = 0
    read: int = 0
    wrong: int = 0
    lost: int = 0
    cpu_ns: int = 0
    cpu_ns_max: int = 0

    def count(self, seen: Seen) -> None:
        """Add one look."""
        self.frames += 1
        self.read += seen.verdict is Verdict.READ
        self.wrong += seen.verdict is Verdict.WRONG
        self.lost += seen.verdict is Verdict.LOST
        self.cpu_ns += seen.cpu_ns
        self.cpu_ns_max = max(self.cpu_ns_max, seen.cpu_ns)

    def add(self, other: "Tally") -> None:
        """Add what another one has counted."""
        self.frames += other.frames
        self.read += other.read
        self.wrong += other.wrong
        self.lost += other.lost
        self.cpu_ns += other.cpu_ns
        self.cpu_ns_max = max(self.cpu_ns_max, other.cpu_ns_max)

    @property
    def read_pct(self) -> float:
        """Return which share of the pictures was read."""
        return 100 * self.read / max(1, self.frames)

    @property
    def cpu_ms(self) -> float:
        """Return processor time per picture."""
        return self.cpu_ns / 1e6 / max(1, self.frames)


def make_reader(way: Way) -> Decoder:
    """Return what looks. Raises UsageError, as `make_decoder` does."""
    decoder = make_decoder(way.decoder)
    return Strategy(decoder) if way.strategy else decoder


def look(reader: Decoder, shown: Sample) -> Seen:
    """Let a decoder look at a picture."""
    begin_ns = time.process_time_ns()
    text = reader.decode(shown.luma)
    cpu_ns = time.process_time_ns() - begin_ns
    if text is None:
        return Seen(Verdict.UNREAD, cpu_ns)
    return Seen(Verdict.READ if text in shown.texts else Verdict.WRONG, cpu_ns)


def looks(level: Level, frames: int, readers: list[Decoder], first: int = 0) -> Iterator[Seen]:
    """Yield the looks at a level's frames, all readers at one frame and then at the next.

    `first` is how many looks are left out at the beginning.
    """
    for number in range(first // len(readers), frames):
        shown = frame(level, number)
        for place, reader in enumerate(readers):
            if number * len(readers) + place >= first:
                yield look(reader, shown)
