"""What people have found out during a run, for the display and for the checks at the end."""

from collections import Counter
from typing import Final

import msgspec

QR: Final = "qr"
WIRED: Final = "wired"


class Tally(msgspec.Struct):
    """Kept by operators and owners as they work.

    `unbound`: how each device was unbound, by index. `rebound`: devices with a new owner.
    `refused`, `failed`: what operators read, by reason. `contradictions`: a light and the history
    that do not agree, in words. `attacks`: what tampered firmware tried and was refused, by name;
    `break_outs`: where it was not, in words.
    """

    unbound: dict[int, str] = {}
    rebound: set[int] = set()
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    failed: Counter[str] = msgspec.field(default_factory=Counter)
    contradictions: list[str] = []
    attacks: Counter[str] = msgspec.field(default_factory=Counter)
    break_outs: list[str] = []
    tickets: int = 0

    def by_method(self) -> dict[str, int]:
        """Return how many devices were unbound by QR and by wire."""
        counts = Counter(self.unbound.values())
        return {QR: counts[QR], WIRED: counts[WIRED]}
