"""What has happened in a virtual run, in prose: one line per thing, for people.

A line says when (since the run began), who, what, and on the right which line of which file took
it, where that is known: entries of a `Trace` know what happened, those of a `Witness` also which
rows of the firmware's tables and which functions of the cloud answered. No line has a secret in it.
"""

from collections.abc import Iterable, Iterator

from firmware_sim.runtime.virtual.trace import Entry

START_MS = 1_767_225_600_000  # 2026-01-01, when every virtual run begins


def tell(entries: Iterable[Entry], start_ms: int = START_MS) -> Iterator[str]:
    """Tell entries one by one, in their order; `start_ms` is when the run began."""
    for at_ms, who, number, what in entries:
        yield f"{(at_ms - start_ms) / 1000:10.3f} s  {who} {number}: {what!r}"
