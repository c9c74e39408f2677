"""What a run has come to goes through a pipe and a file unchanged."""

import msgspec

from fleet.run.explore.outcome import Finding, Outcome
from tests.run.explore.support import outcome


def test_it_goes_through_json_unchanged() -> None:
    finding = Finding("one_owner", "sim1: bound twice", 12.345, ("more",), "Traceback\n")
    one = outcome(finding, struck={"power_cut": 3}, marks=(1, 5), virtual_s=1.001)
    assert msgspec.json.decode(msgspec.json.encode(one), type=Outcome) == one
