"""What can befall a cloud: each has a kind that names it, and a player in virtual time."""

from fleet.run.cloud_faults import CloudFault
from fleet.run.fault_kinds import KINDS
from fleet.run.faults import FaultTable
from fleet.run.virtual.cloud_mischief import CloudMischief


def test_every_one_is_named_and_played() -> None:
    tables = [
        FaultTable(name, "unbind", for_s=1)  # type: ignore[arg-type]
        for name, kind in KINDS.items()
        if kind.fault is None
    ]
    named = {type(table.cloud_fault(1.0, 1)) for table in tables}
    assert named == set(CloudFault.__subclasses__()) == set(CloudMischief._PLAY)
