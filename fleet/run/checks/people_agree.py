"""What operators read from lights is what the history says."""

from collections.abc import Iterator

from fleet.run.checks.evidence import Evidence


def at_end(evidence: Evidence) -> Iterator[str]:
    """Return what operators could not make agree."""
    yield from evidence.tally.contradictions
